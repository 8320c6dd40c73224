"""The code table against the document, and the loader against bad rows."""

import re

import pytest

from wechat.errcodes import CODES, LOCAL, TABLE, Code, load, meaning, problem_text

# Our own copy of senddelivery.md, section 6, letter for letter.
DOCUMENT = {
    40097: "请求体参数不正确,请检查各个参数是否按规范填写,具体原因请查看errmsg",
    47001: "请求体格式不正确,请检查请求体中各个参数的类型是否正确",
    48001: "无权调用本api,请检查相关权限是否已开通",
    100002: "订单不存在",
    100003: "订单更新过于频繁,更新订单失败,请重试",
    101100: "当前订单状态不允许发货,请检查订单状态",
    108009: "当前订单有未完成售后单,不允许发货",
    109000: (
        "发货失败,请检查 errmsg 中返回的商品是否正确填写,包括订单中是否包含该商品,该商品是否已经发货"
        ",是否已经完成售后无法发货,以及商品数量是否填写正确等"
    ),
    109001: "当前订单已经发货完成,不能重复发货",
    109002: "当前发货请求里没有带上发货商品,请检查product_infos和is_all_product是否按规范填写",
    109205: "当前订单已经下单在线物流单,不允许自寄发货",
    606003: "商家没有默认退货地址,不可发货,请设置默认退货地址后再进行发货",
    606004: "delivery_id不合法,请使用【获取物流公司列表】接口获取合法的delivery_id",
    606005: "waybill_id不合法,请检查快递单号是否正确填写",
    606008: (
        "deliver_type不符合要求,普通订单请使用快递发货,虚拟商品订单请无需物流发货,请检查订单deliver_method"
    ),
    606031: "发货请求里product_id或sku_id填写不正确,请检查订单中是否包含该商品",
    606034: "请前往平台服务-商品质检菜单,开通质检服务后走质检发货流程",
    606036: "带有课程链接的包裹里只能包含一个sku",
    606037: "该sku不是课程商品,不能填写课程信息",
    606038: "课程链接appid或小程序地址为空",
    606045: "应平台管控要求,请使用【上传生鲜质检信息】接口上传商品打包信息",
    606046: "请使用电子面单发货",
    606048: "核销信息有误,小程序appid或path为空",
    606049: "当前订单存在风险,请先不要发货等待平台进一步的通知",
    606051: "虚拟商品必须整单发货",
    606060: "国补订单需要sn码",
    606061: "国补订单只能用特定的快递公司",
    6060479: "快递单号与物流公司提供的正则表达式不匹配",
    10020115: "用户申请修改收货地址,请商家处理完毕之后再发货",
    10020276: "存在发货前更换sku请求,请商家处理后再发货",
    268545000: "快递公司不支持国补",
    268545001: "订单ID和面单的取号的商品id不匹配",
    268545002: "电子面单中的商品订单信息无效",
    268545003: "商品SKU不匹配",
    268545004: "商品国补信息不存在",
    268545005: "国补商品不支持组合打单",
    268545006: "国补不支持多sku",
    268545007: "订单商品不唯一",
    268545008: "国补订单参数错误",
    268545009: "国补锁sn码失败,可以重试",
    268545010: "国补sn码被其他平台锁定",
    268545011: "国补sn码被其他订单锁定",
    268545012: "国补sn码锁定参数错误,可以检查SN码/IMEI码等信息",
    268545013: "国补sn码锁定失败,其他逻辑错误",
    268545014: "商品分类不支持国补",
    268545015: "国补sn码不存在",
}

GENERAL = {
    *(-1, 40001, 40014, 42001, 42007, 41001, 40013, 40125, 40002, 41002, 41004, 40164, 61004, 45035, 45009),
    *(45011, 48004, 50001, 50002, 61007, 61023, 40033, 40066, 43002, 43003, 44002, 45002, 10080000, 10080001),
    *(10080002, 85105, 85107, 85112, 85113, 61005, 61006, 61011),
}
PREVENTED = {
    *(40097, 47001, 100002, 101100, 108009, 109000, 109001, 109002, 606003, 606004, 606005, 606008, 606031),
    *(606036, 606037, 606038, 606051, 606060, 606061, 606034, 606045, 606046, 606049, 109205, 6060479),
    *(10020115, 10020276, 268545006, 268545011, 268545012),
}
SLUG_WORDS = (
    "facts_never_read couriers_never_read deliver_method_never_read return_address_never_read waybill_already_on_order "
    "waybill_not_sent course_times_reversed goods_blank_in_many package_rows_differ order_status_unknown "
    "merchant_paused order_busy wrong_host refused_connection unresolved_host "
    "connect_timeout read_timeout connection_reset "
    "http_error redirected not_json answer_empty answer_truncated answer_too_big answer_without_errcode "
    "answer_too_slow tls_error worker_died facts_unreadable no_token someone_else_shipped "
    "same_waybill_other_goods order_closed_meanwhile sent_twice_unconfirmed order_unreadable "
    "orders_not_ours_to_read order_entered reading_not_allowed "
    "already_on_platform settled_by_manager"
)
SLUGS = set(SLUG_WORDS.split())
RULE_SLUGS = {
    *("facts_never_read", "couriers_never_read", "return_address_never_read", "waybill_already_on_order"),
    *("waybill_not_sent", "course_times_reversed", "goods_blank_in_many", "package_rows_differ"),
    *("order_status_unknown", "deliver_method_never_read", "order_entered"),
}
PAUSES = {
    *(
        48001,
        606003,
        40164,
        61004,
        45035,
        48004,
        50001,
        50002,
        61007,
        61023,
        40013,
        40125,
        40002,
        41002,
        41004,
    ),
    *(10080000, 10080001, 10080002, 85105, 85107, 61005, 61006, 61011),
}
RENEWALS = {40001, 40014, 42001, 42007}
ASKS = {109000, 109001, 101100}
LATERS = {
    100003: (6, 1, "", "package"),
    268545009: (3, 5, "", "package"),
    85112: (6, 5, "", "package"),
    85113: (6, 5, "", "package"),
    45009: (0, 0, "midnight", "merchant_call"),
    45011: (0, 0, "next_minute", "merchant_call"),
}
ROWS = [*CODES.values(), *LOCAL.values()]
JARGON = re.compile(
    r"\b(API|token|SKU|errcode|errmsg|payload|endpoint|JSON)\b|[a-z]+_(id|type|info|cnt|path|code|list)\b|接口|参数|请求体",
    re.IGNORECASE,
)


def name(code: Code) -> str:
    return code.slug or str(code.errcode)


def test_documented_codes_are_the_46_of_the_document() -> None:
    assert len(DOCUMENT) == 46
    assert {number for number, code in CODES.items() if code.documented} == set(DOCUMENT)


@pytest.mark.parametrize("errcode", DOCUMENT)
def test_platforms_words_are_kept_letter_for_letter(errcode: int) -> None:
    assert CODES[errcode].zh == DOCUMENT[errcode]


def test_general_codes_and_our_own_slugs_have_rows() -> None:
    assert set(CODES) - set(DOCUMENT) >= GENERAL
    assert set(LOCAL) >= SLUGS


@pytest.mark.parametrize("code", ROWS, ids=name)
def test_row_is_complete_and_speaks_plainly(code: Code) -> None:
    texts = [code.text(part, lang) for part in ("title", "means", "do") for lang in ("zh-hans", "en")]
    texts += [code.problem_zh, code.problem_en]
    assert all(texts[:6])
    assert code.listed
    assert len(re.findall(r"[\u4e00-\u9fff]", code.title_zh)) <= 12
    assert not [text for text in texts if JARGON.search(re.sub(r"\{\w+\}", "", text))]
    assert code.means_zh.endswith("。")
    assert code.do_zh.endswith("。")


def test_worker_orders_are_the_agreed_ones() -> None:
    then = {number: code.then for number, code in CODES.items()}
    assert {number for number in then if then[number] == "pause_merchant"} == PAUSES
    assert {number for number in then if then[number] == "renew_token"} == RENEWALS
    assert {number for number in then if then[number] == "ask"} == ASKS
    assert {number for number in then if then[number] == "unclear"} == {-1}
    assert {number for number in then if then[number] == "later"} == set(LATERS)


def test_pauses_stop_the_whole_merchant() -> None:
    assert {CODES[number].scope for number in PAUSES} == {"merchant"}


@pytest.mark.parametrize("errcode", LATERS)
def test_later_says_how_often_and_how_long(errcode: int) -> None:
    code = CODES[errcode]
    assert (code.tries, code.wait, code.until, code.scope) == LATERS[errcode]


def test_what_a_form_can_prevent_has_a_sentence() -> None:
    assert all(CODES[number].problem_zh and CODES[number].problem_en for number in PREVENTED)
    assert all(LOCAL[slug].problem_zh and LOCAL[slug].problem_en for slug in RULE_SLUGS)


def test_problem_names_the_goods_and_the_counts() -> None:
    params = {"title": "茶", "left": 3, "asked": 5}
    assert problem_text(CODES[109000], params, "zh-hans") == "茶只剩 3 件，这里填了 5 件"
    assert problem_text(CODES[109000], params, "en") == "Only 3 of 茶 left, 5 entered here"


def test_problem_takes_the_sentence_its_params_fit() -> None:
    assert "SF123" in problem_text(CODES[109000], {"waybill_id": "SF123"}, "zh-hans")
    assert "3 位" in problem_text(CODES[606005], {"length": 3}, "zh-hans")
    assert problem_text(CODES[606004], {}, "zh-hans") == "请选择快递公司"
    assert "3721" in problem_text(CODES[268545011], {"other": "3721", "sn_code": "A"}, "en")


@pytest.mark.parametrize("code", ROWS, ids=name)
@pytest.mark.parametrize("lang", ["zh-hans", "en"])
def test_problem_without_params_still_reads(code: Code, lang: str) -> None:
    text = problem_text(code, {}, lang)
    assert text
    assert "{" not in text
    assert "\n" not in text


def test_problem_tolerates_a_param_it_never_got() -> None:
    assert problem_text(Code(problem_en="Only {left} left"), {}, "en") == "Only  left"


def test_braces_in_a_title_stay_as_they_are() -> None:
    params = {"title": "{asked}{x}", "left": 1, "asked": 2}
    assert problem_text(CODES[109000], params, "zh") == "{asked}{x}只剩 1 件，这里填了 2 件"


def test_unknown_code_asks_and_goes_to_a_manager() -> None:
    code = meaning(987654)
    assert (code.errcode, code.listed, code.then, code.fixed_by) == (987654, False, "ask", "manager")
    assert code.text("title", "zh-hans") == "未收录的错误码"
    assert all(code.text(part, "en") for part in ("title", "means", "do"))


def test_meaning_knows_codes_and_slugs() -> None:
    assert meaning(606005).field == "packages[].waybill_id"
    assert meaning(606005, "read_timeout").errcode == 606005
    assert meaning(None, "read_timeout").slug == "read_timeout"
    assert not meaning(None, "never_heard_of").listed
    assert not meaning(None).listed


ROW = """
[1]
title_zh = "题"
title_en = "t"
means_zh = "义"
means_en = "m"
do_zh = "做"
do_en = "d"
fixed_by = "staff"
then = "rejected"
"""


def test_a_plain_row_loads_and_the_table_is_read_only() -> None:
    codes, slugs = load(ROW)
    assert codes[1].scope == "package"
    assert not slugs
    with pytest.raises(TypeError):
        codes[2] = codes[1]  # type: ignore[index]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (ROW.replace('do_en = "d"', ""), "[1]: do_en is missing"),
        (ROW.replace('then = "rejected"', ""), "[1]: then is missing"),
        (ROW.replace('"rejected"', '"soon"'), "[1]: then is 'soon'"),
        (ROW.replace('"staff"', '"nobody"'), "[1]: fixed_by is 'nobody'"),
        (ROW.replace("题", "题" * 13), "[1]: title_zh has more than 12"),
        (ROW + 'tries = "6"', "[1]: tries is not int"),
        (ROW + "documented = true", "[1]: zh is missing"),
        (ROW + 'colour = "red"', "[1]: colour is unknown"),
        (ROW + "errcode = 2", "[1]: errcode is unknown"),
        (ROW + 'field = "waybill"', "[1]: field is 'waybill'"),
        (ROW + 'problem_zh = "还剩 {left}"', "[1]: problem_en and problem_zh"),
        (ROW + 'problem_zh = "{mood}"\nproblem_en = "x"', "[1]: problem_zh asks for ['mood']"),
        (ROW.replace("[1]", "[one]"), "[one]: key is no number"),
        (ROW.replace("[1]", "[local.x]").replace('"t"', '""'), "[local.x]: title_en is missing"),
    ],
)
def test_a_bad_row_is_named_with_its_field(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        load(text)


def test_table_names_no_code_twice() -> None:
    keys = re.findall(r"^\[(.+)\]$", TABLE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(keys) == len(set(keys)) == len(ROWS)
