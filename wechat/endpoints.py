"""The platform's calls that the product makes, by the platform's own short words."""

from dataclasses import dataclass

KB, MB = 1024, 1024 * 1024


@dataclass(frozen=True)
class Endpoint:
    """One call; `is_send` marks calls that change something and are therefore never repeated blindly.

    `holds` is what a success carries: an answer with neither it nor an errcode is not the platform's
    (store-api section 6). The document's delivery/send promises an errcode and nothing else.
    `in_cloud`: whether WeChat offers it as a cloud call (store-api 3.4).
    `query_name`: what the token is called in the query.
    """

    name: str
    path: str
    needs_token: bool = True
    is_send: bool = False
    body_cap: int = 4 * MB
    holds: str = ""
    in_cloud: bool = True
    query_name: str = "access_token"


# store-api 3.1
STABLE_TOKEN = Endpoint(
    "cgi-bin/stable_token",
    "/cgi-bin/stable_token",
    needs_token=False,
    body_cap=64 * KB,
    holds="access_token",
)


def _component(name: str, holds: str, *, needs_token: bool = True) -> Endpoint:
    """A call of the third-party platform about itself (store-api 3.2)."""
    path = f"cgi-bin/component/{name}"
    return Endpoint(
        path, f"/{path}", needs_token, holds=holds, in_cloud=False, query_name="component_access_token"
    )


START_PUSH_TICKET = _component("api_start_push_ticket", "", needs_token=False)
COMPONENT_TOKEN = _component("api_component_token", "component_access_token", needs_token=False)
PREAUTH_CODE = _component("api_create_preauthcode", "pre_auth_code")
QUERY_AUTH = _component("api_query_auth", "authorization_info")
AUTHORIZER_TOKEN = _component("api_authorizer_token", "authorizer_access_token")
AUTHORIZER_LIST = _component("api_get_authorizer_list", "list")
AUTHORIZER_INFO = _component("api_get_authorizer_info", "authorization_info")
# store-api 1.1, 1.3
ORDER_LIST = Endpoint("order/list/get", "/channels/ec/order/list/get", holds="order_id_list")
ORDER_GET = Endpoint("order/get", "/channels/ec/order/get", holds="order")
# store-api 2.3
COURIERS_NEW = Endpoint(
    "order/deliverycompanylist/new/get",
    "/channels/ec/order/deliverycompanylist/new/get",
    holds="company_list",
    in_cloud=False,
)
COURIERS_OLD = Endpoint(
    "order/deliverycompanylist/get", "/channels/ec/order/deliverycompanylist/get", holds="company_list"
)
# store-api 2.8
ADDRESS_LIST = Endpoint(
    "merchant/address/list", "/channels/ec/merchant/address/list", holds="address_id_list"
)
ADDRESS_GET = Endpoint("merchant/address/get", "/channels/ec/merchant/address/get", holds="address_detail")
# store-api 3.3: what is used and left of a day's calls; the cloud has no such call.
QUOTA_GET = Endpoint("cgi-bin/openapi/quota/get", "/cgi-bin/openapi/quota/get", holds="quota", in_cloud=False)
CLEAR_QUOTA = Endpoint("cgi-bin/clear_quota", "/cgi-bin/clear_quota", in_cloud=False)
# the document, section 1
DELIVERY_SEND = Endpoint(
    "order/delivery/send", "/channels/ec/order/delivery/send", is_send=True, body_cap=64 * KB
)


def _changing(path: str, *, in_cloud: bool = True) -> Endpoint:
    """A call that changes an order, and promises an errcode and nothing else."""
    return Endpoint(path, f"/channels/ec/{path}", is_send=True, body_cap=64 * KB, in_cloud=in_cloud)


# store-api 2.4, 2.5
DELIVERY_UPDATE = _changing("order/deliveryinfo/update")
DELIVERY_COMPENSATION = _changing("order/delivery/compensation", in_cloud=False)
# store-api 1.9
ADDRESS_ACCEPT = _changing("order/addressmodify/accept")
ADDRESS_REJECT = _changing("order/addressmodify/reject")
SKU_APPROVE = _changing("order/preshipmentchangesku/approve")
SKU_REJECT = _changing("order/preshipmentchangesku/reject")
NOTES_UPDATE = _changing("order/merchantnotes/update")
# store-api 2.7
RECEIVER_DECODE = Endpoint(
    "order/sensitiveinfo/decode",
    "/channels/ec/order/sensitiveinfo/decode",
    body_cap=64 * KB,
    holds="address_info",
    in_cloud=False,
)
