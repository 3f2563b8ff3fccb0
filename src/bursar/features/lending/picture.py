"""The picture of a validation: an SVG of the ROC curve, and of what each band promised and what came."""

from bursar.features.lending.validation import BandOutcome, Validation

_SIDE = 300
_LEFT, _TOP, _SECOND = 60, 60, 480
_BAR, _GAP = 22, 60

_FRAME = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 820 430" role="img" aria-labelledby="t d">
  <title id="t">How well the scorecard tells bad loans apart</title>
  <desc id="d">{desc}</desc>
  <style>
    text {{ font: 14px system-ui, sans-serif; fill: #1f2933 }}
    .small {{ font-size: 12px; fill: #52606d }}
    .middle {{ text-anchor: middle }}
    .paper {{ fill: #fbfcfd; stroke: #d5dbe1 }}
    .axis {{ fill: none; stroke: #7b8794 }}
    .even {{ stroke: #7b8794; stroke-dasharray: 4 4 }}
    .curve {{ fill: none; stroke: #2f8f73; stroke-width: 2 }}
    .promised {{ fill: #b8c2cc }}
    .came {{ fill: #2f8f73 }}
    @media (prefers-color-scheme: dark) {{
      text {{ fill: #e4e9ee }}
      .small {{ fill: #a5b1bd }}
      .paper {{ fill: #12171d; stroke: #2c353f }}
      .promised {{ fill: #52606d }}
    }}
  </style>
  <rect class="paper" x="0.5" y="0.5" width="819" height="429" rx="8"/>
{body}
</svg>
"""


def draw(found: Validation) -> str:
    """The SVG text; figures as in the validation, so the same loans and seed give the same picture."""
    auc = f"AUC {found.auc.value:.3f} ({found.auc.low:.3f} to {found.auc.high:.3f})"
    desc = f"Left: the ROC curve, {auc}. Right: for each band the share of loans expected to go bad and that did."
    return _FRAME.format(desc=desc, body="\n".join([*_roc(found, auc), *_bands(found)]))


def _roc(found: Validation, auc: str) -> list[str]:
    bottom, right = _TOP + _SIDE, _LEFT + _SIDE
    points = " ".join(f"{_LEFT + _SIDE * good:.1f},{bottom - _SIDE * bad:.1f}" for good, bad in found.roc)
    return [
        f'  <text x="{_LEFT}" y="32">{auc}, KS {found.ks:.2f}</text>',
        f'  <text class="small" x="{_LEFT}" y="50">{found.loans} loans, {found.bad} bad, unseen by their card</text>',
        f'  <rect class="axis" x="{_LEFT}" y="{_TOP}" width="{_SIDE}" height="{_SIDE}"/>',
        f'  <line class="even" x1="{_LEFT}" y1="{bottom}" x2="{right}" y2="{_TOP}"/>',
        f'  <polyline class="curve" points="{points}"/>',
        f'  <text class="small middle" x="{_LEFT + _SIDE / 2}" y="{bottom + 20}">good loans refused, 0 to 100 %</text>',
        f'  <text class="small middle" transform="translate({_LEFT - 12} {_TOP + _SIDE / 2}) rotate(-90)">'
        "bad loans refused, 0 to 100 %</text>",
    ]


def _bands(found: Validation) -> list[str]:
    bottom = _TOP + _SIDE
    drawn = [
        f'  <text x="{_SECOND}" y="32">Percent of loans that go bad, by band</text>',
        f'  <rect class="promised" x="{_SECOND}" y="41" width="10" height="10"/>',
        f'  <text class="small" x="{_SECOND + 14}" y="50">expected</text>',
        f'  <rect class="came" x="{_SECOND + 90}" y="41" width="10" height="10"/>',
        f'  <text class="small" x="{_SECOND + 104}" y="50">came</text>',
        f'  <line class="axis" x1="{_SECOND}" y1="{bottom}" x2="{_SECOND + _SIDE}" y2="{bottom}"/>',
    ]
    for number, outcome in enumerate(o for o in found.bands if o.loans):
        drawn += _bars(_SECOND + 8 + number * _GAP, bottom, outcome)
    return drawn


def _bars(left: int, bottom: int, outcome: BandOutcome) -> list[str]:
    drawn: list[str] = []
    bars = (("promised", outcome.expected_bad, left), ("came", outcome.bad, left + _BAR))
    for name, bad, x in bars:
        share = bad / outcome.loans
        height = (_SIDE - 20) * share
        drawn.append(f'  <rect class="{name}" x="{x}" y="{bottom - height:.1f}" width="{_BAR}" height="{height:.1f}"/>')
        label = f'<text class="small middle" x="{x + _BAR // 2}" y="{bottom - height - 5:.1f}">{100 * share:.0f}</text>'
        drawn.append(f"  {label}")
    middle = left + _BAR
    drawn.append(f'  <text class="middle" x="{middle}" y="{bottom + 20}">{outcome.band}</text>')
    drawn.append(f'  <text class="small middle" x="{middle}" y="{bottom + 38}">{outcome.loans:.0f} loans</text>')
    return drawn
