"""Routes of the desk: nouns in the path, the verb last for POST."""

from django.urls import path

from .views import conflicts, enter, history, lists, orders, ship, slips, todo

urlpatterns = [
    path("", lists.order_list, name="order_list"),
    path("counts/", lists.order_counts, name="order_counts"),
    path("trouble/", lists.my_trouble, name="my_trouble"),
    path("search/", lists.search, name="search"),
    path("orders/sync/state/", lists.sync_state, name="sync_state"),
    path("orders/sync/", orders.order_sync, name="order_sync"),
    path("orders/enter/", enter.order_enter, name="order_enter"),
    path("orders/<str:order_id>/", orders.order_detail, name="order_detail"),
    path("orders/<str:order_id>/ship/", ship.order_ship, name="order_ship"),
    path("orders/<str:order_id>/presence/", ship.order_presence, name="order_presence"),
    path("orders/<str:order_id>/hold/", orders.order_hold, name="order_hold"),
    path("orders/<str:order_id>/release/", orders.order_release, name="order_release"),
    path("orders/<str:order_id>/intercepted/", orders.order_intercepted, name="order_intercepted"),
    path("orders/<str:order_id>/read/", orders.order_read, name="order_read"),
    path("packages/<int:pk>/status/", orders.package_status, name="package_status"),
    path("packages/<int:pk>/settle/", conflicts.package_settle, name="package_settle"),
    path("packages/<int:pk>/confirm/", orders.package_confirm, name="package_confirm"),
    path("shipments/<int:pk>/cancel/", orders.shipment_cancel, name="shipment_cancel"),
    path("conflicts/", conflicts.conflict_list, name="conflict_list"),
    path("todo/", todo.todo_list, name="todo_list"),
    path("pauses/<int:pk>/resume/", todo.pause_resume, name="pause_resume"),
    # One address under two names: POST prints, GET shows.
    path("slips/", slips.slips, name="slip_list"),
    path("slips/", slips.slips, name="slip_print"),
    path("errors/", history.error_list, name="error_list"),
    path("history/", history.history, name="history"),
]
