"""The fleet's models, as data: who watches what, with which columns, and what happens to whom.

The order matters: a fleet of N models is the first N, so that a small one has every task and status.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

Task = Literal["regression", "binary", "multiclass", "ranking", "none"]
Length = Literal["1h", "1d", "1w"]


@dataclass(frozen=True, slots=True)
class Numbers:
    """A column of numbers: normal, or lognormal around its median."""

    name: str
    middle: float
    spread: float  # a standard deviation; of a lognormal column that of its logarithm
    skewed: bool = False
    missing: float = 0.0  # share


@dataclass(frozen=True, slots=True)
class Choices:
    """A column of categories with their shares, which add up to 1."""

    name: str
    shares: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Member:
    """One model of the fleet."""

    name: str
    project: str
    task: Task
    incident: str = ""  # a key of fleet_incidents.INCIDENTS
    rows: int = 500  # a batch
    numbers: int = 5  # so many of the project's columns
    choices: int = 2
    batch: Length = "1d"
    fixed: bool = False  # compared with its training data; else with the windows before
    delay: int = 0  # days that labels take
    skill: float = 2.0  # how much more the model knows than it does not
    segments: str = ""  # a column by whose values the quality is evaluated, too
    arms: bool = False
    versions: bool = False
    texts: bool = False
    known: bool = False  # a ranking that knows what its users had before, and what items are like

    @property
    def team(self) -> str:
        """Its project in the store, where projects of people's own may stand beside it."""
        return f"demo-{self.project}"

    @property
    def training(self) -> int:
        """So many rows it was trained on: each segment of them is large enough for distances."""
        return 12_000 if self.segments else 4_000

    @property
    def folder(self) -> str:
        """Its name as that of a folder."""
        return "".join(c if c.isalnum() else "-" for c in self.name.replace("'", "").lower())


NUMBERS: Mapping[str, Sequence[Numbers]] = {
    "retail": (
        Numbers("price", 24, 0.6, skewed=True),
        Numbers("stock_days", 18, 4),
        Numbers("basket_value", 62, 0.5, skewed=True),
        Numbers("footfall", 940, 160),
        Numbers("discount", 0.12, 0.03),
        Numbers("items", 7, 2),
        Numbers("days_since_promo", 21, 6, missing=0.02),
        Numbers("temperature", 14, 4, missing=0.01),
        Numbers("margin", 0.31, 0.05),
        Numbers("competitor_price", 25, 0.5, skewed=True, missing=0.03),
    ),
    "credit": (
        Numbers("income", 41000, 0.4, skewed=True, missing=0.02),
        Numbers("loan_amount", 9000, 0.6, skewed=True),
        Numbers("utilisation", 0.42, 0.1),
        Numbers("term_months", 48, 9),
        Numbers("account_age_days", 1400, 0.5, skewed=True),
        Numbers("late_payments", 1.2, 0.4),
        Numbers("open_lines", 4, 1),
        Numbers("debt_ratio", 0.28, 0.06, missing=0.03),
        Numbers("inquiries", 2, 0.6),
        Numbers("rent", 830, 0.3, skewed=True, missing=0.05),
    ),
    "support": (
        Numbers("wait_minutes", 11, 0.5, skewed=True),
        Numbers("thread_length", 5, 1.5),
        Numbers("previous_tickets", 3, 1),
        Numbers("account_age_days", 620, 0.5, skewed=True),
        Numbers("agents_online", 34, 6),
        Numbers("queue_length", 80, 17),
        Numbers("response_chars", 410, 0.4, skewed=True),
        Numbers("seats", 25, 0.8, skewed=True, missing=0.02),
        Numbers("backlog_hours", 9, 2.5),
        Numbers("health_score", 71, 9, missing=0.04),
    ),
    "media": (
        Numbers("watch_minutes", 46, 0.6, skewed=True),
        Numbers("sessions", 5, 1.4),
        Numbers("days_since_login", 6, 0.7, skewed=True),
        Numbers("title_age_days", 300, 0.8, skewed=True),
        Numbers("completion", 0.63, 0.12),
        Numbers("bitrate", 5.4, 0.9),
        Numbers("rebuffers", 1.1, 0.5, skewed=True),
        Numbers("searches", 2.5, 0.8),
        Numbers("tenure_months", 19, 0.5, skewed=True, missing=0.02),
        Numbers("ads_seen", 7, 2, missing=0.01),
    ),
}

CHOICES: Mapping[str, Sequence[Choices]] = {
    "retail": (
        Choices("region", {"north": 0.35, "south": 0.3, "west": 0.2, "east": 0.15}),
        Choices("channel", {"store": 0.55, "web": 0.3, "app": 0.15}),
        Choices(
            "category", {"food": 0.4, "home": 0.25, "toys": 0.15, "sport": 0.12, "books": 0.08}
        ),
        Choices("loyalty", {"none": 0.5, "silver": 0.35, "gold": 0.15}),
        Choices("payment", {"card": 0.62, "cash": 0.23, "invoice": 0.15}),
    ),
    "credit": (
        Choices("region", {"urban": 0.5, "suburban": 0.3, "rural": 0.2}),
        Choices("purpose", {"car": 0.35, "home": 0.3, "study": 0.2, "other": 0.15}),
        Choices("employment", {"employed": 0.68, "self-employed": 0.2, "retired": 0.12}),
        Choices("product", {"instalment": 0.6, "card": 0.4}),
        Choices("branch", {"online": 0.64, "counter": 0.24, "partner": 0.12}),
    ),
    "support": (
        Choices("channel", {"mail": 0.45, "chat": 0.35, "phone": 0.2}),
        Choices("language", {"en": 0.55, "de": 0.2, "fr": 0.15, "es": 0.1}),
        Choices("plan", {"free": 0.5, "team": 0.35, "enterprise": 0.15}),
        Choices("product", {"desktop": 0.4, "web": 0.4, "mobile": 0.2}),
        Choices("priority", {"low": 0.5, "normal": 0.38, "high": 0.12}),
    ),
    "media": (
        Choices("device", {"tv": 0.4, "phone": 0.35, "tablet": 0.15, "desktop": 0.1}),
        Choices("genre", {"drama": 0.3, "comedy": 0.25, "news": 0.2, "sport": 0.15, "kids": 0.1}),
        Choices("country", {"US": 0.45, "GB": 0.25, "DE": 0.18, "FR": 0.12}),
        Choices("plan", {"basic": 0.55, "standard": 0.3, "premium": 0.15}),
        Choices("entry", {"home": 0.6, "search": 0.28, "push": 0.12}),
    ),
}

# Classes of the multiclass models, by project.
CLASSES: Mapping[str, Sequence[str]] = {
    "retail": ("top-up", "weekly", "party"),
    "credit": ("approve", "review", "decline"),
    "support": ("billing", "bug", "question", "urgent"),
    "media": ("binge", "casual", "lapsed"),
}

# What people write to support.
SENTENCES: Sequence[str] = (
    "The invoice of last month is wrong.",
    "Please send me a refund.",
    "Login does not work since the update.",
    "How can I change the address of my account?",
    "Nobody answers my last message.",
    "The export stops after a thousand rows.",
    "We need this today.",
    "Is there an app for tablets?",
    "I was charged twice, see the invoice.",
    "The page stays empty on my phone.",
    "Thank you for your quick help!",
    "Where do I find the setting for languages?",
)

MEMBERS: Sequence[Member] = (
    Member("demand-forecast", "retail", "regression", "decay", 700, 6, 3, fixed=True, delay=2),
    Member("default-risk", "credit", "binary", "challenger", 1200, 7, 3, fixed=True, delay=1,
           skill=0.9, arms=True),
    Member("ticket-inbox", "support", "none", "dead", 500, 4, 3, fixed=True, texts=True),
    Member("O'Brien triage", "support", "multiclass", "gone", 600, 5, 3, fixed=True, delay=1),
    Member("home-feed", "media", "ranking", "recovered", 960, 3, 3, fixed=True),
    Member("partner-applications", "credit", "none", "few", 300, 6, 3, fixed=True),
    Member("price-elasticity", "retail", "regression", "jump", 600, 8, 3, fixed=True),
    Member("churn", "media", "binary", "drift", 800, 7, 3, fixed=True, delay=3),
    Member("returns", "retail", "binary", "late", 500, 5, 3),
    Member("basket-type", "retail", "multiclass", "category", 650, 4, 4, fixed=True),
    Member("trailer-clicks", "media", "binary", "gap", 600, 5, 3),
    Member("answer-quality", "support", "none", "topic", 400, 3, 3, fixed=True, texts=True),
    Member("card-fraud", "credit", "binary", "", 400, 6, 3, batch="1h", skill=3),
    Member("weekly-assortment", "retail", "regression", "", 2000, 8, 4, batch="1w"),
    Member("watch-time", "media", "regression", "", 800, 6, 3, fixed=True, segments="device"),
    Member("also-bought", "retail", "ranking", "", 960, 4, 3, known=True),
    Member("next-genre", "media", "multiclass", "", 600, 6, 3, versions=True),
    Member("satisfaction", "support", "binary", "", 400, 6, 4, delay=5, fixed=True),
    Member("credit-limit", "credit", "regression", "", 450, 7, 3, versions=True, delay=2),
    Member("applications", "credit", "none", "", 600, 7, 4, fixed=True),
    Member("stock-levels", "retail", "none", "", 900, 6, 2),
    Member("ad-clicks", "media", "binary", "", 1500, 5, 4, fixed=True, versions=True),
    Member("handling-time", "support", "regression", "", 500, 6, 4),
    Member("language-routing", "support", "multiclass", "", 500, 4, 3, fixed=True),
    Member("income-estimate", "credit", "regression", "", 350, 7, 2, fixed=True),
    Member("customer-value", "retail", "regression", "", 500, 6, 3, fixed=True),
    Member("search-results", "media", "ranking", "", 800, 4, 3),
    Member("early-repayment", "credit", "binary", "", 600, 7, 3, fixed=True, segments="region",
           delay=4),
    Member("escalation", "support", "binary", "", 400, 7, 3, versions=True),
    Member("playback-events", "media", "none", "", 1000, 9, 4, fixed=True),
)  # fmt: skip

MARKETS = ("de", "fr", "es", "it", "nl", "pl", "se", "pt", "at", "be")


def members(count: int) -> list[Member]:
    """The first *count* models; beyond the roster the sound ones again, market by market.

    At most 210: twelve have incidents, and each of the eighteen others is there in ten markets, too.
    """
    sound = [m for m in MEMBERS if not m.incident]
    more = [replace(m, name=f"{m.name}-{market}") for market in MARKETS for m in sound]
    return [*MEMBERS, *more][:count]


def most() -> int:
    """How many models there are at most."""
    return len(members(10**6))
