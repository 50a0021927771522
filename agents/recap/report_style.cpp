// The style sheet of a report.
#include "agents/recap/report_style.hpp"

namespace troupe::recap {
namespace {

// Categorical colours keep their hue and change lightness between the modes, so that each stays three to one
// against its ground; red is left to failure alone.
constexpr std::string_view kReportStyle = R"css(
:root{color-scheme:light dark;--page:#fff;--soft:#f4f5f6;--ink:#16191d;--ink2:#4c535b;--ink3:#6b737c;
--line:#e1e4e8;
--accent:#1f5fae;--note:#fff6dc;--note-line:#d9a400;--bad:#c62f2f;--bad-soft:#fbe9e8;--warn:#e0a100;
--calm:#c9d3cc;
--e0:#2a78d6;--e1:#1baf7a;--e2:#eb8a34;--e3:#7a5bd0;--e4:#c45a94;--e5:#8a7a2e;--e6:#3aa0b5;--ex:#8b9199}
@media(prefers-color-scheme:dark){:root{--page:#15181c;--soft:#1e2227;--ink:#eceef0;--ink2:#b4bbc3;
--ink3:#8d959e;
--line:#30363d;--accent:#82b4f0;--note:#2c2610;--note-line:#b88a00;--bad:#ef6a63;--bad-soft:#3a1f1f;
--warn:#d49a1a;
--calm:#39443d;--e0:#4a8fe4;--e1:#2aa678;--e2:#d9822f;--e3:#9581e3;--e4:#d273a8;--e5:#a8974a;--e6:#46a9bd;
--ex:#7d848c}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:auto}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",
Roboto,
"Helvetica Neue",Arial,sans-serif;overflow-wrap:anywhere}
main{max-width:54rem;margin:0 auto;padding:3rem 1.5rem 5rem}
bdi{unicode-bidi:isolate}
a{color:var(--accent);text-decoration-thickness:1px;text-underline-offset:2px}
header p{margin:.2rem 0;color:var(--ink2)}
h1{font-size:2.1rem;line-height:1.15;letter-spacing:-.02em;margin:0 0 .5rem}
h2{font-size:1.35rem;letter-spacing:-.01em;margin:3.2rem 0 .9rem;padding-top:1.1rem;
border-top:2px solid var(--ink)}
h3{font-size:1.08rem;margin:0;display:inline}
h4{font-size:.8rem;font-weight:650;color:var(--ink2);margin:1.15rem 0 .35rem}
.note{background:var(--note);border-left:4px solid var(--note-line);padding:.65rem 1rem;margin:1.4rem 0 0;
border-radius:0 4px 4px 0;color:var(--ink)}
.digest{margin:0;padding:0;list-style:none;counter-reset:n}
.digest>li{counter-increment:n;position:relative;padding:.75rem 0 .75rem 2.4rem;
border-top:1px solid var(--line)}
.digest>li:first-child{border-top:0;padding-top:.2rem}
.digest>li:before{content:counter(n);position:absolute;left:0;width:1.6rem;
white-space:nowrap;text-align:right;color:var(--ink3);
font-variant-numeric:tabular-nums;font-size:1.05rem}
.digest .say{font-size:1.09rem;line-height:1.48}
.meta{font-size:.86rem;color:var(--ink3)}
.meta a{color:var(--ink2)}
.toc{display:grid;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr));gap:.1rem 1.6rem;
margin:0 0 1.6rem;padding:0;
list-style:none;font-size:.93rem}
.toc li{display:flex;justify-content:space-between;gap:.6rem;border-bottom:1px solid var(--line);
padding:.28rem 0}
.toc span{color:var(--ink3);font-variant-numeric:tabular-nums;white-space:nowrap}
.toc a{text-decoration:none}
.toc a:hover{text-decoration:underline}
summary{cursor:pointer}
summary:focus-visible,a:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:2px}
.day{border-top:1px solid var(--line);padding:.9rem 0}
.day>summary{list-style-position:outside;margin-left:1.1rem}
.day>summary .meta{margin-left:.55rem}
.day>.in{margin-left:1.1rem}
.points{margin:0;padding:0;list-style:none}
.points>li{padding:.3rem 0 .3rem .9rem;border-left:3px solid var(--line);margin:.35rem 0}
.decision>li{border-color:var(--e1)}.action>li{border-color:var(--e0)}.question>li{border-color:var(--e2)}
.src{font-size:.86rem;color:var(--ink3);margin-top:.1rem}
.src>summary{width:fit-content}.src a{color:var(--ink2)}
.src blockquote{margin:.45rem 0;padding:.5rem .8rem;background:var(--soft);border-radius:5px;
color:var(--ink);
font-size:.92rem;line-height:1.48}
.src blockquote b{font-weight:620}
.src time,.src .tag{color:var(--ink3);font-size:.82rem;margin-left:.35rem}
.story{font-size:1.05rem;max-width:46rem}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(7rem,1fr));gap:1rem;margin:1rem 0 1.6rem}
.facts div{border-top:1px solid var(--line);padding-top:.45rem}
.facts b{display:block;font-size:1.45rem;font-weight:600;letter-spacing:-.01em;
font-variant-numeric:tabular-nums}
.facts span{font-size:.84rem;color:var(--ink2)}
figure{margin:1.4rem 0}
figcaption{font-size:.9rem;color:var(--ink2);margin-bottom:.5rem}
.key{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;font-size:.84rem;color:var(--ink2);margin:0 0 .5rem;
padding:0;
list-style:none}
.key i{display:inline-block;width:.7rem;height:.7rem;border-radius:2px;margin-right:.4rem;
vertical-align:-.03rem}
.chart{display:block;width:100%;height:auto;font:11px system-ui,-apple-system,"Segoe UI",Roboto,Arial,
sans-serif}
.chart .axis{stroke:var(--ink3)}.chart .grid{stroke:var(--line)}
.chart .tick{fill:var(--ink3);font-variant-numeric:tabular-nums}.chart .name{fill:var(--ink2)}
.chart .cross{stroke:var(--bad);stroke-width:1.4;fill:none;stroke-linecap:round}
.hatch-ground{fill:var(--bad-soft)}.hatch-line{fill:var(--bad)}
.e0{fill:var(--e0);background:var(--e0)}.e1{fill:var(--e1);background:var(--e1)}.e2{fill:var(--e2);
background:var(--e2)}
.e3{fill:var(--e3);background:var(--e3)}.e4{fill:var(--e4);background:var(--e4)}.e5{fill:var(--e5);
background:var(--e5)}
.e6{fill:var(--e6);background:var(--e6)}.ex{fill:var(--ex);background:var(--ex)}
i.failed{background:repeating-linear-gradient(45deg,var(--bad) 0 2px,var(--bad-soft) 2px 4px)}
.closed{fill:var(--calm);background:var(--calm)}.open{fill:var(--bad);background:var(--bad)}
.trial{fill:var(--warn);background:var(--warn)}
text.in{font-size:8.5px;font-weight:600}text.in.open{fill:#fff}text.in.trial{fill:#241a00}
.w360{display:none}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.9rem;margin:.4rem 0 1.6rem}
caption{text-align:left;font-weight:620;padding-bottom:.4rem}
th{font-weight:500;color:var(--ink2);font-size:.82rem;text-align:right;padding:.3rem .6rem;
border-bottom:1px solid var(--ink3);
white-space:nowrap}
td{padding:.35rem .6rem;border-bottom:1px solid var(--line);text-align:right;
font-variant-numeric:tabular-nums;
white-space:nowrap}
th:first-child,td:first-child{text-align:left;padding-left:0}
td.why{text-align:left;white-space:normal;color:var(--ink2);min-width:9rem}th.why{text-align:left}
td i{display:inline-block;width:.6rem;height:.6rem;border-radius:2px;margin-right:.5rem}
.bad{color:var(--bad)}
footer{margin-top:3.5rem;padding-top:1rem;border-top:1px solid var(--line);font-size:.84rem;
color:var(--ink3)}
@media(max-width:600px){main{padding:1.6rem 1rem 3rem}h1{font-size:1.6rem}h2{margin-top:2.4rem}
.digest>li{padding-left:1.9rem}.digest>li:before{width:1.2rem}.w860{display:none}.w360{display:block}
.toc{grid-template-columns:1fr}
.facts{grid-template-columns:1fr 1fr}.day>summary,.day>.in{margin-left:.9rem}}
@media print{:root{--page:#fff;--ink:#000;--ink2:#333;--ink3:#555;--line:#ccc;--soft:#f4f4f4;--note:#fff}
body{font-size:10.5pt}main{max-width:none;padding:0}a{color:inherit;text-decoration:none}.toc{display:none}
h2{break-after:avoid}.points>li,.digest>li,figure,tr{break-inside:avoid}
.day::details-content{content-visibility:visible;display:block}
.chart,i,.e0,.e1,.e2,.failed{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
)css";

}  // namespace

std::string_view report_style() { return kReportStyle; }

}  // namespace troupe::recap
