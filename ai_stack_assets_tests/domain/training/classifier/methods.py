"""Small sets for the classifier: three subsystems with words of their own, as rows of the features table with labels."""

from __future__ import annotations

import pyarrow as pa

from ai_stack_assets.domain.training import labels
from ai_stack_assets.domain.training.contract import Sets
from ai_stack_assets.domain.training.features.compute import of_methods

WORDS = {
    "Валюты": ("Курс", "Валюта", "Кратность"),
    "Печать": ("Макет", "Бланк", "Картридж"),
    "Обмен": ("Узел", "Пакет", "Транспорт"),
}
CONTEXTS = {"&НаКлиенте": "client", "&НаСервере": "server"}


def method(
    subsystem: str | None, number: int, *, words=None, owner: str | None = None, directive: str = ""
) -> dict:
    """One labelled method. With a directive it is a method of a form, whose code says where it runs."""
    first, second, third = words or WORDS[subsystem or "Валюты"]
    body = f"{second}{number} = {first}.{third}(Отбор{number});"
    if directive:
        body += " ОткрытьФорму(Имя);" if directive == "&НаКлиенте" else " Запрос.Выполнить();"
    owner = owner or f"CommonModule.{subsystem}{'АБВГДЕЖЗ'[number % 8]}"
    return {
        "code": f"Процедура Заполнить{first}{number}()\n\t{body}\nКонецПроцедуры",
        "object": f"{owner}.Form.Форма" if directive else owner,
        "module_type": "FormModule" if directive else "CommonModule",
        "directive": directive,
        "configuration": "demo",
        "repository": "demo",
        "subsystem": subsystem,
        "context": CONTEXTS.get(directive),
    }


def table(methods: list[dict]) -> pa.Table:
    """Features and labels, as `prepared` joins them."""
    rows = of_methods([{k: v for k, v in m.items() if k not in ("subsystem", "context")} for m in methods])
    for name in ("subsystem", "context"):
        rows = rows.append_column(name, pa.array([m[name] for m in methods], pa.string()))
    return rows


def with_names(rows: pa.Table, *names: str) -> pa.Table:
    """The same rows, where so many subsystems are known by name."""
    known = pa.table({"configuration": ["other"] * len(names), "object": names, "subsystem": names})
    told = labels.add(rows.drop_columns(["subsystem", "context"]), known).schema.field("subsystem")
    return rows.set_column(rows.schema.get_field_index("subsystem"), told, rows["subsystem"])


def some(numbers: range, *, directives=("", *CONTEXTS)) -> list[dict]:
    return [method(s, n, directive=directives[n % len(directives)]) for s in WORDS for n in numbers]


def sets(train: list[dict] | None = None, **kinds) -> Sets:
    return Sets(
        train=table(some(range(24), **kinds) if train is None else train),
        validation=table(some(range(24, 30), **kinds)),
        test=table(some(range(30, 36), **kinds)),
    )
