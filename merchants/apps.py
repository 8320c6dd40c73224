"""Who sells, who works there, which credential speaks for them."""

from django.apps import AppConfig

from wechat.secrets import guard_handlers


class MerchantsConfig(AppConfig):
    name = "merchants"
    verbose_name = "店铺"

    def ready(self) -> None:
        guard_handlers()
