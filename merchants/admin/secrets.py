"""Secrets that go in and never come out: their fields, and what may be shown of them."""

from django import forms
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

from merchants.models import Channel, Credential, Platform
from wechat.envelope import key_bytes

Hidden = forms.PasswordInput(attrs={"autocomplete": "new-password", "size": 60})


class PushSecrets(forms.ModelForm):  # type: ignore[type-arg]
    """The two secrets of a push address, each write-only."""

    new_push_token = forms.CharField(
        label=_("消息校验 Token"),
        required=False,
        help_text=_("和微信后台填的一致，用来验证推送的签名。留空则保留现在的；保存后无法再查看。"),
        widget=Hidden,
    )
    new_aes_key = forms.CharField(
        label=_("消息加解密 Key（EncodingAESKey）"),
        required=False,
        help_text=_("43 位，和微信后台填的一致。留空则保留现在的；保存后无法再查看。"),
        widget=Hidden,
    )

    def clean_new_aes_key(self) -> str:
        key = str(self.cleaned_data["new_aes_key"])
        try:
            if key:
                key_bytes(key)
        except ValueError:
            raise forms.ValidationError(say("EncodingAESKey 应是 43 位字母和数字。")) from None
        return key


def shown(row: Credential | Platform | Channel, name: str) -> str:
    """The end of a stored secret, when it was typed and by whom."""
    held = row.shown.get(name)
    if not held:
        return say("还没有填")
    moment = parse_datetime(held["at"])
    when = timezone.localtime(moment).strftime("%Y-%m-%d %H:%M") if moment else ""
    return " · ".join(part for part in (f"…{held['last4']}", when, held["by"]) if part)
