"""Why a file cannot be read as a whole: a slug, and what its sentence names."""


class Refused(Exception):
    """`code` is a key of shipping.filewords.WORDS; `params` fill its sentence."""

    def __init__(self, code: str, **params: str | int) -> None:
        super().__init__(code)
        self.code = code
        self.params = params
