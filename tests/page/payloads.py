"""Thirty texts that a corpus could hold to attack whoever opens a page about it.

Each attack that runs would set `window.canary` or open a dialog.
"""

PAYLOADS = (
    "<script>window.canary=1</script>",
    "</script><script>window.canary=1</script>",
    "</style><script>window.canary=1</script>",
    "</title><script>window.canary=1</script>",
    "<img src=x onerror=window.canary=1>",
    "<svg onload=window.canary=1>",
    "<svg><script>window.canary=1</script></svg>",
    "<svg><animate onbegin=window.canary=1 attributeName=x dur=1s>",
    "]]><script>window.canary=1</script>",
    "<![CDATA[<script>window.canary=1</script>]]>",
    "--><script>window.canary=1</script><!--",
    '" onmouseover="window.canary=1" x="',
    "' onfocus='window.canary=1' autofocus tabindex='1",
    '"><script>window.canary=1</script>',
    "` onclick=window.canary=1 `",
    "javascript:window.canary=1",
    '<a href="javascript:window.canary=1" autofocus>x</a>',
    '<iframe srcdoc="<script>parent.canary=1</script>"></iframe>',
    '<meta http-equiv="refresh" content="0;url=https://example.org/">',
    '<link rel="stylesheet" href="https://example.org/x.css">',
    '<base href="https://example.org/">',
    "<form action='https://example.org/'><button autofocus>x</button></form>",
    "</style><style>body{display:none}@import 'https://example.org/x.css'",
    '" style="background:url(https://example.org/x.png)',
    "{{ 7*7 }}{% for x in ().__class__.__base__.__subclasses__() %}{{ x }}{% endfor %}",
    "${window.canary=1}#{window.canary=1}<%= 7*7 %>",
    "&lt;script&gt;window.canary=1&lt;/script&gt;&#x3C;script>&NewLine;",
    "abc\u202eevil\u202c\u2066isolated\u2069\u200f",
    "\x1b[31mred\x1b[0m\x1b]0;title\x07\x9b2J\x00<script\x00>window.canary=1</script>\x08",
    '<noscript><p title="</noscript><img src=x onerror=window.canary=1>">\ud800\u2028\ufeff',
)
# five on a page, each attack whole: a page takes a second to open. `make faults` opens one for each alone
TOGETHER = tuple(" ".join(PAYLOADS[first : first + 5]) for first in range(0, len(PAYLOADS), 5))
