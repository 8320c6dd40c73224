"""Routes about people, and about what is asked of WeChat or pushed by it."""

from django.urls import path

from . import door
from .views import errands, factor, links, members, person, signin

urlpatterns = [
    path("login/", signin.LoginView.as_view(), name="login"),
    path("logout/", signin.LogoutView.as_view(), name="logout"),
    path("me/", person.person, name="person"),
    path("me/password/", person.password_change, name="password_change"),
    path("me/second-factor/", factor.second_factor, name="second_factor"),
    path("join/<str:token>/", links.invitation_accept, name="invitation_accept"),
    path("password/<str:token>/", links.password_reset, name="password_reset"),
    path("members/", members.member_list, name="member_list"),
    path("members/invite/", members.member_invite, name="member_invite"),
    path("members/<int:pk>/role/", members.member_role, name="member_role"),
    path("members/<int:pk>/remove/", members.member_remove, name="member_remove"),
    path("members/<int:pk>/reset/", members.member_reset, name="member_reset"),
    path("members/<int:pk>/forget-factor/", members.member_forget_factor, name="member_forget_factor"),
    path("invitations/<int:pk>/withdraw/", members.invitation_withdraw, name="invitation_withdraw"),
    path("errands/<int:pk>/", errands.errand, name="errand"),
    path("errands/<int:pk>/status/", errands.errand_status, name="errand_status"),
    path("stores/<int:pk>/test/", errands.line_test, name="line_test"),
    path("stores/<int:pk>/quota/", errands.line_quota, name="line_quota"),
    path("stores/<int:pk>/quota/clear/", errands.line_clear_quota, name="line_clear_quota"),
    path("wechat/events/component/", door.component_events, name="component_events"),
    path(
        "wechat/events/component/<str:appid>/", door.authorized_store_events, name="authorized_store_events"
    ),
    path("wechat/events/<str:key>/", door.store_events, name="store_events"),
    path("wechat/authorized/<str:state>/", errands.authorized, name="authorized"),
]
