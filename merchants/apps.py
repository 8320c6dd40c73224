"""Who sells, who works there, which credential speaks for them."""

from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class MerchantsConfig(AppConfig):
    name = "merchants"
    verbose_name = pgettext_lazy("plural", "店铺")
