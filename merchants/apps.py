"""Who sells, who works there, which credential speaks for them."""

from django.apps import AppConfig


class MerchantsConfig(AppConfig):
    name = "merchants"
    verbose_name = "店铺"
