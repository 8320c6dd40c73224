"""All routes."""

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path

from merchants.views import LoginView, person

urlpatterns = [
    path("login/", LoginView.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("me/", person, name="person"),
    path("admin/", admin.site.urls),
    path("", include("shipping.urls")),
]
