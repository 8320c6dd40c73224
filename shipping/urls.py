"""Routes of the desk: nouns in the path, the verb last for POST."""

from django.urls import path

from .views import batches, enter, history, lists, orders, ship, slips, todo

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
    path("packages/<int:pk>/settle/", orders.package_settle, name="package_settle"),
    path("packages/<int:pk>/confirm/", orders.package_confirm, name="package_confirm"),
    path("shipments/<int:pk>/cancel/", orders.shipment_cancel, name="shipment_cancel"),
    path("todo/", todo.todo_list, name="todo_list"),
    path("pauses/<int:pk>/resume/", todo.pause_resume, name="pause_resume"),
    # One address under two names: POST prints, GET shows.
    path("slips/", slips.slips, name="slip_list"),
    path("slips/", slips.slips, name="slip_print"),
    path("batches/", batches.batch_list, name="batch_list"),
    path("batches/upload/", batches.batch_upload, name="batch_upload"),
    path("batches/<int:pk>/", batches.batch_detail, name="batch_detail"),
    path("batches/<int:pk>/progress/", batches.batch_progress, name="batch_progress"),
    path("batches/<int:pk>/rows/", batches.batch_rows, name="batch_rows"),
    path("batches/<int:pk>/columns/", batches.batch_columns, name="batch_columns"),
    path("batches/<int:pk>/courier/", batches.batch_courier, name="batch_courier"),
    path("batches/<int:pk>/rows/<int:number>/", batches.batch_row, name="batch_row"),
    path("batches/<int:pk>/ship/", batches.batch_ship, name="batch_ship"),
    path("batches/<int:pk>/pause/", batches.batch_pause, name="batch_pause"),
    path("batches/<int:pk>/resume/", batches.batch_resume, name="batch_resume"),
    path("batches/<int:pk>/cancel/", batches.batch_cancel, name="batch_cancel"),
    path("batches/<int:pk>/retry/", batches.batch_retry, name="batch_retry"),
    path("errors/", history.error_list, name="error_list"),
    path("history/", history.history, name="history"),
]
