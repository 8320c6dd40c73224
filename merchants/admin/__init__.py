"""Django admin: stores, people, secrets."""

from django.contrib import admin
from django.contrib.auth.models import Group
from django.utils.translation import gettext_lazy as _
from django_otp.plugins.otp_totp.models import TOTPDevice

from . import audit, channels, credentials, people, platform, stores
from .base import OwnStores, ReadOnly

__all__ = ["OwnStores", "ReadOnly", "audit", "channels", "credentials", "people", "platform", "stores"]

admin.site.site_header = admin.site.site_title = _("发货台 · 店铺管理")
admin.site.index_title = _("店铺一览")
admin.site.unregister(Group)
# Its page shows the keys of everybody's phone.
admin.site.unregister(TOTPDevice)
