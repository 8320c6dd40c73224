"""All routes."""

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path

from merchants.door import component_events
from merchants.views import LoginView, authorized, errand, errand_status, person

urlpatterns = [
    path("login/", LoginView.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("me/", person, name="person"),
    path("errands/<int:pk>/", errand, name="errand"),
    path("errands/<int:pk>/status/", errand_status, name="errand_status"),
    path("wechat/events/component/", component_events, name="component_events"),
    path("wechat/authorized/<str:state>/", authorized, name="authorized"),
    path("admin/", admin.site.urls),
    path("", include("shipping.urls")),
]
