"""The station's steps: slip, label, goods, serial number, saved; the step decides what a scan may be.

A code that looks like something else (goods, an order, a retail barcode, an IMEI) is taken for a tracking
number only after a printed or pressed yes. A second scan of the same code changes nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from shipping.drafts import Problem
from wechat.waybills import guess, is_clean, normalise, without_blanks

from .codes import BADGE, COURIER, Command, command_of, is_ean13, is_imei, is_order_id
from .state import Goods, Opened, Parcel, Question, Refused, Saved, State, Told, Tone, World, step_of

Heard = tuple[State, Told]
LONGEST = 120
# The rules stop these; a person who has looked may go on (as on the ship page).
CONFIRMABLE = ("address_changed", "goods_changed")
OTHER_BUYER = "waybill_of_another_buyer"
SERIAL_MISSING = 606060


def hear(state: State, text: str, world: World) -> Heard:
    """What a scan leads to, and what to say of it."""
    plain = without_blanks(text)
    if not plain or len(plain) > LONGEST:
        return state, Told("bad", "unreadable")
    if command := command_of(plain):
        return _obey(state, command, world)
    if state.parcel is None:
        return _begin(state, normalise(plain), world)
    return _go_into(replace(state, asks=None), state.parcel, plain, world)


# --- the first scan -----------------------------------------------------------------------------------


def _begin(state: State, code: str, world: World) -> Heard:
    if state.last and code in state.last.codes:
        return state, _already(state.last)
    return _scan_out(state, code, world) if state.batch else _open(state, code, world)


def _open(state: State, code: str, world: World) -> Heard:
    opened = world.open(code)
    if opened is None:
        return state, Told("bad", "order_unknown" if is_order_id(code) else "slip_first", {"code": code})
    if opened.left == 0 and state.last and state.last.order_id == code:
        return state.empty(), _already(state.last)
    if refusal := _refusal(opened):
        return state.empty(), refusal
    tone: Tone = "bad" if any(problem.stops for problem in opened.problems) else "wait"
    told = Told(tone, "opened", {"n": opened.left}, opened.problems)
    return replace(state.empty(), parcel=Parcel(opened.order_id)), told


def _scan_out(state: State, code: str, world: World) -> Heard:
    """A label whose order a file has named: its goods are shown, then it is saved."""
    found = world.find_row(code)
    if isinstance(found, Told):
        return state, found
    opened = world.open(found.order_id)
    if opened is None:
        return state, Told("bad", "order_unknown", {"code": code})
    if refusal := _refusal(opened):
        return state, refusal
    return _go_on(replace(state.empty(), parcel=found), found, opened, world)


def _refusal(opened: Opened) -> Told | None:
    """Why nothing of this order may be packed now."""
    if stops := _stops(opened.problems):
        return Told("bad", "order_stops", {"order_id": opened.order_id}, tuple(stops))
    if opened.is_foreign_packer:
        return Told("bad", "packer_foreign")
    if opened.is_virtual:
        return Told("bad", "virtual")
    return None if opened.left else Told("bad", "nothing_left")


def _stops(problems: Sequence[Problem]) -> list[Problem]:
    return [problem for problem in problems if problem.stops and problem.slug not in CONFIRMABLE]


def _already(saved: Saved) -> Told:
    return Told("ok", "already_saved", {"order_id": saved.order_id, "waybill": saved.waybill})


# --- with an order in hand ----------------------------------------------------------------------------


def _go_into(state: State, parcel: Parcel, text: str, world: World) -> Heard:
    code, opened = normalise(text), world.open(parcel.order_id)
    if opened is None:
        return state.empty(), Told("bad", "order_unknown", {"code": parcel.order_id})
    if refusal := _refusal(opened):
        return state, refusal
    if code == parcel.order_id or parcel.knows(code) or _is_double(state, parcel, code):
        return state, Told("wait", "again")
    if goods := opened.find(code):
        return _count(state, parcel, goods, opened, world)
    if is_order_id(code) and world.open(code):
        return _ask(state, "switch", code, "other_slip")
    return STEPS[step_of(state)](state, parcel, text, opened, world)


def _is_double(state: State, parcel: Parcel, code: str) -> bool:
    """The label of the package before, of the same order: the gun read it twice."""
    return bool(state.last and state.last.order_id == parcel.order_id and code in state.last.codes)


def _ask(state: State, kind: str, code: str, slug: str) -> Heard:
    question = Question(kind, code)  # type: ignore[arg-type]
    return replace(state, asks=question), Told("bad", slug, {"code": code})


def _count(state: State, parcel: Parcel, goods: tuple[Goods, ...], opened: Opened, world: World) -> Heard:
    """One more piece, on the first line that still has room for it."""
    found = next((each for each in goods if parcel.counted.get(each.key, 0) < each.left), None)
    if found is None:
        return state, Told("bad", "too_many", {"title": goods[0].title, "n": goods[0].left})
    count = parcel.counted.get(found.key, 0) + 1
    fuller = replace(parcel, counted={**parcel.counted, found.key: count})
    state = state.put(fuller)
    if fuller.waybill and not _missing(state, fuller, opened):
        return _finish(state, fuller, world)
    return state, Told("wait", "counted", {"title": found.title, "n": count, "left": found.left})


def _missing(state: State, parcel: Parcel, opened: Opened) -> int:
    """Pieces still to be scanned; none where nobody has begun to count and nobody must."""
    return opened.left - parcel.pieces if parcel.counted or state.must_count else 0


def _take_label(state: State, parcel: Parcel, text: str, opened: Opened, world: World) -> Heard:
    code = normalise(text)
    if not is_clean(code):
        return state, Told("bad", "not_a_number", {"code": code})
    if doubt := _doubt(code) or (is_imei(code) and not guess(code) and "looks_like_imei"):
        return _ask(state, "waybill", code, doubt)
    return _with_label(state, parcel, code, opened, world)


def _doubt(code: str) -> str:
    """What else this could be that is neither a tracking nor a serial number."""
    if is_order_id(code):
        return "looks_like_order"
    return "looks_like_goods" if is_ean13(code) else ""


def _with_label(state: State, parcel: Parcel, code: str, opened: Opened, world: World) -> Heard:
    labelled = replace(parcel, waybill=code)
    return _go_on(state.put(labelled), labelled, opened, world)


def _go_on(state: State, parcel: Parcel, opened: Opened, world: World) -> Heard:
    if missing := _missing(state, parcel, opened):
        return state, Told("wait", "count_more", {"n": missing})
    return _finish(state, parcel, world)


def _take_serial(state: State, parcel: Parcel, text: str, opened: Opened, world: World) -> Heard:
    code = normalise(text)
    if is_imei(code):
        return _take_imei(state, parcel, code, opened, world)
    doubt = _doubt(code) or _bad_imei(code) or (guess(code) and "looks_like_label")
    return _ask(state, "serial", text, doubt) if doubt else _with_serial(state, parcel, text, opened, world)


def _bad_imei(code: str) -> str:
    is_like_one = len(code) == 15 and code.isascii() and code.isdigit()
    return "imei_check" if is_like_one else ""


def _take_imei(state: State, parcel: Parcel, code: str, opened: Opened, world: World) -> Heard:
    """A phone has up to two; the serial number itself comes last."""
    if parcel.imei1 and parcel.imei2:
        return state, Told("bad", "imeis_full")
    with_it = replace(parcel, imei2=code) if parcel.imei1 else replace(parcel, imei1=code)
    return state.put(with_it), Told("wait", "imei_taken")


def _with_serial(state: State, parcel: Parcel, text: str, opened: Opened, world: World) -> Heard:
    with_it = replace(parcel, sn=text, wants_serial=False)
    return _go_on(state.put(with_it), with_it, opened, world)


def _refuse_goods(state: State, parcel: Parcel, text: str, opened: Opened, world: World) -> Heard:
    return state, Told("bad", "not_of_order", {"code": normalise(text)})


def _refuse_courier(state: State, parcel: Parcel, text: str, opened: Opened, world: World) -> Heard:
    return state, Told("bad", "courier_first")


STEPS: dict[str, Callable[[State, Parcel, str, Opened, World], Heard]] = {
    "label": _take_label,
    "count": _refuse_goods,
    "serial": _take_serial,
    "courier": _refuse_courier,
}


# --- saving -------------------------------------------------------------------------------------------


def _finish(state: State, parcel: Parcel, world: World, seen: str = "") -> Heard:
    """Save what is in hand, or say what is missing; warnings want a yes to what was on the screen."""
    filled, problems, looked = world.rehearse(parcel)
    if stops := _stops(problems):
        return _stopped(state, parcel, stops)
    if problems and seen != looked:
        return replace(state, asks=Question("problems", seen=looked)), _doubtful(problems)
    try:
        saved = world.save(filled, seen)
    except Refused as refused:
        return _stopped(state, parcel, _stops(refused.problems) or list(refused.problems))
    return _saved(state, filled, saved, world)


def _doubtful(problems: tuple[Problem, ...]) -> Told:
    must_look = any(problem.stops or problem.slug == OTHER_BUYER for problem in problems)
    return Told("bad" if must_look else "wait", "ask_problems", {}, problems)


def _saved(state: State, parcel: Parcel, saved: Saved, world: World) -> Heard:
    """On to the next slip, or to the next package of the same order when that was asked for."""
    params: dict[str, str | int] = {
        "order_id": saved.order_id,
        "waybill": saved.waybill,
        "courier": parcel.courier,
    }
    done = replace(state.empty(), last=saved)
    opened = world.open(saved.order_id) if parcel.goes_on else None
    if opened is None or _refusal(opened):
        return done, Told("ok", "saved_out" if state.batch else "saved", params)
    further = replace(done, parcel=Parcel(saved.order_id, is_further=True))
    return further, Told("ok", "saved_more", {**params, "n": opened.left})


# What a problem at a field asks to be scanned again.
FIXES: dict[str, Callable[[Parcel], Parcel]] = {
    "waybill_id": lambda parcel: replace(parcel, waybill=""),
    "delivery_id": lambda parcel: replace(parcel, courier="", wants_courier=True),
    "sn_code": lambda parcel: replace(parcel, sn="", wants_serial=True),
    "imei1": lambda parcel: replace(parcel, imei1="", imei2="", sn="", wants_serial=True),
    "imei2": lambda parcel: replace(parcel, imei1="", imei2="", sn="", wants_serial=True),
}


def _as_it_is(parcel: Parcel) -> Parcel:
    return parcel


def _stopped(state: State, parcel: Parcel, stops: list[Problem]) -> Heard:
    """Keep what was scanned but for the fields that are wrong."""
    again = parcel
    for problem in stops:
        again = FIXES.get(problem.path.rpartition(".")[2], _as_it_is)(again)
    state = replace(state, parcel=again, asks=None)
    if not parcel.sn and all(problem.errcode == SERIAL_MISSING for problem in stops):
        return state, Told("wait", "scan_serial")
    return state, Told("bad", "stops", {}, tuple(stops))


# --- printed commands ---------------------------------------------------------------------------------


def _obey(state: State, command: Command, world: World) -> Heard:
    deed = DEEDS.get(command.name)
    if deed is None:
        return state, Told("bad", "command_unknown")
    return deed(state, command.argument, world)


def _wear(state: State, badge: str, world: World) -> Heard:
    name = world.wear(badge)
    if not name:
        return state, Told("bad", "badge_unknown")
    return state, Told("wait" if state.parcel else "idle", "packer", {"who": name})


def _choose_courier(state: State, code: str, world: World) -> Heard:
    parcel = state.parcel
    opened = world.open(parcel.order_id) if parcel else None
    if parcel is None or opened is None:
        return state, Told("bad", "nothing_open")
    chosen = next((known for known in (*opened.couriers, "OTHER") if normalise(known) == code), "")
    if not chosen:
        return state, Told("bad", "courier_unknown", {"code": code})
    with_it = replace(parcel, courier=chosen, wants_courier=False)
    state = state.put(with_it)
    if with_it.waybill:
        return _go_on(state, with_it, opened, world)
    return state, Told("wait", "courier_set", {"courier": opened.couriers.get(chosen, chosen)})


def _done(state: State, argument: str, world: World) -> Heard:
    parcel = state.parcel
    opened = world.open(parcel.order_id) if parcel else None
    if parcel is None or opened is None:
        return state, Told("bad", "nothing_open")
    if not parcel.waybill:
        return state, Told("bad", "label_first")
    if missing := _missing(state, parcel, opened):
        asks = Question("short") if parcel.pieces else None
        return replace(state, asks=asks), Told("bad", "ask_short" if asks else "count_first", {"n": missing})
    return _finish(replace(state, asks=None), parcel, world)


def _next(state: State, argument: str, world: World) -> Heard:
    """What was scanned leaves in this package, the rest of the order in another."""
    parcel = state.parcel
    if parcel is None:
        return state, Told("bad", "nothing_open")
    if not parcel.waybill:
        return state, Told("bad", "label_first")
    if not parcel.pieces:
        return state, Told("bad", "count_first")
    going_on = replace(parcel, goes_on=True)
    return _finish(replace(state, parcel=going_on, asks=None), going_on, world)


def _undo(state: State, argument: str, world: World) -> Heard:
    """One step back: a question, a scan, an order taken in hand, a package saved."""
    if state.asks:
        return replace(state, asks=None), Told("wait", "undone")
    if state.past:
        return replace(state, parcel=state.past[-1], past=state.past[:-1]), Told("wait", "undone")
    if state.parcel:
        return state.empty(), Told("idle", "put_down", {"order_id": state.parcel.order_id})
    return _withdraw(state, state.last, world) if state.last else (state, Told("bad", "nothing_open"))


def _withdraw(state: State, saved: Saved, world: World) -> Heard:
    if not world.withdraw(saved):
        return state, Told("bad", "too_late", {"order_id": saved.order_id, "waybill": saved.waybill})
    told = Told("wait", "withdrawn", {"order_id": saved.order_id, "waybill": saved.waybill})
    parcel = None if state.batch else Parcel(saved.order_id)
    return replace(state.empty(), last=None, parcel=parcel), told


def _skip(state: State, argument: str, world: World) -> Heard:
    if state.parcel is None:
        return state, Told("bad", "nothing_open")
    return state.empty(), Told("idle", "put_down", {"order_id": state.parcel.order_id})


def _yes(state: State, argument: str, world: World) -> Heard:
    asks, parcel = state.asks, state.parcel
    opened = world.open(parcel.order_id) if parcel else None
    if asks is None or parcel is None or opened is None:
        return state, Told("bad", "nothing_asked")
    return ANSWERS[asks.kind](replace(state, asks=None), parcel, asks, opened, world)


ANSWERS: dict[str, Callable[[State, Parcel, Question, Opened, World], Heard]] = {
    "waybill": lambda state, parcel, asks, opened, world: _with_label(
        state, parcel, asks.code, opened, world
    ),
    "serial": lambda state, parcel, asks, opened, world: _with_serial(
        state, parcel, asks.code, opened, world
    ),
    "switch": lambda state, parcel, asks, opened, world: _open(state.empty(), asks.code, world),
    "short": lambda state, parcel, asks, opened, world: _finish(state, parcel, world),
    "problems": lambda state, parcel, asks, opened, world: _finish(state, parcel, world, asks.seen),
}
DEEDS: dict[str, Callable[[State, str, World], Heard]] = {
    "done": _done,
    "next": _next,
    "undo": _undo,
    "skip": _skip,
    "yes": _yes,
    COURIER.lower(): _choose_courier,
    BADGE.lower(): _wear,
}
