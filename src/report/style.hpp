// The page's look: light and dark by the reader's system, from a phone to a wall, and on paper.
#pragma once

#include <string_view>

namespace iotstream::report {

inline constexpr std::string_view style = R"css(
:root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--ink:#16202c;--soft:#5b6878;--line:#dfe4ea;--f0:#2563eb;--f1:#d9480f;--f2:#0b8a63;--f3:#9333ea;--f4:#b7791f;--f5:#c02675;--f6:#0e7490;--f7:#4d7c0f;--pos:#2563eb;--neg:#d9480f;--warn:#b45309}
@media(prefers-color-scheme:dark){:root{--bg:#0e1217;--card:#171d25;--ink:#e6ebf1;--soft:#98a5b5;--line:#2a333f;--f0:#6ea8fe;--f1:#ff9466;--f2:#45d3a4;--f3:#c497ff;--f4:#f0bf5b;--f5:#f58ac0;--f6:#5bcbe3;--f7:#a5d352;--pos:#6ea8fe;--neg:#ff9466;--warn:#f0bf5b}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 Inter,system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;font-variant-numeric:tabular-nums}
main{max-width:1480px;margin:0 auto;padding:36px 28px 60px}
h1{font-size:30px;line-height:1.2;margin:0 0 6px;letter-spacing:-.02em;overflow-wrap:anywhere}
h2{font-size:20px;margin:46px 0 4px;letter-spacing:-.01em}
h3{font-size:15px;margin:0;overflow-wrap:anywhere}
p{margin:4px 0 14px}
.soft,.rule{color:var(--soft)}
.rule{max-width:80ch;font-size:14px}
nav{display:flex;flex-wrap:wrap;gap:6px 16px;margin:14px 0 22px;font-size:14px}
a{color:var(--f0);text-decoration:none}
a:hover,a:focus-visible{text-decoration:underline}
.files{display:grid;grid-template-columns:repeat(auto-fill,minmax(300px,1fr));gap:14px}
.card{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:16px 18px;min-width:0}
.file{border-top:4px solid var(--c)}
.file h3{display:flex;gap:8px;align-items:baseline}
dl{display:grid;grid-template-columns:auto 1fr;gap:2px 14px;margin:10px 0 0;font-size:14px}
dt{color:var(--soft)}
dd{margin:0;text-align:right;overflow-wrap:anywhere}
.warn{color:var(--warn)}
.metric{margin-top:14px}
.metric>header{display:flex;flex-wrap:wrap;gap:2px 10px;align-items:baseline;margin-bottom:10px}
.cells{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,var(--w,330px)),1fr));gap:18px 26px}
.one .cells{grid-template-columns:1fr}
.crowd .cells{--w:230px;gap:14px 20px}
.crowd svg.line{height:64px}
.crowd .plots{grid-template-columns:minmax(0,3fr) minmax(0,2fr);gap:8px}
.crowd .figures{font-size:11.5px;gap:0 10px}
figure{margin:0;min-width:0}
figcaption{display:flex;justify-content:space-between;gap:10px;font-size:13px;color:var(--soft);margin-bottom:4px}
figcaption b{font-weight:600;color:var(--c);overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.plots{display:grid;grid-template-columns:minmax(0,2fr) minmax(0,1fr);gap:12px;align-items:end}
svg{display:block;width:100%;height:auto;overflow:visible}
svg.line{height:96px;background:linear-gradient(var(--line),var(--line)) left bottom/100% 1px no-repeat}
.one svg.line{height:130px}
svg.line path{fill:none;stroke:var(--c);stroke-width:1.4;stroke-linejoin:round;stroke-linecap:round}
svg.dist rect{fill:var(--c);fill-opacity:.55}
svg.dist .box path{stroke:var(--soft);fill:none}
svg.dist .box rect{fill:var(--c);fill-opacity:.25;stroke:var(--c)}
svg.dist .box .mid{stroke:var(--c);stroke-width:2}
svg.dist circle{fill:var(--warn)}
.one svg.dist{max-height:130px}
.range{display:flex;justify-content:space-between;font-size:11px;color:var(--soft)}
.figures{display:flex;flex-wrap:wrap;gap:2px 14px;font-size:12.5px;margin-top:5px;color:var(--soft)}
.figures b{color:var(--ink);font-weight:600}
.none{font-size:13px;color:var(--soft);padding:28px 0;text-align:center;border:1px dashed var(--line);border-radius:8px}
table{border-collapse:collapse;width:100%;font-size:13px}
th,td{padding:5px 10px;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child,td:first-child{text-align:left;white-space:normal;overflow-wrap:anywhere;min-width:150px}
td.text{text-align:left;white-space:normal;overflow-wrap:anywhere;color:var(--soft)}
th{color:var(--soft);font-weight:500;position:sticky;top:0;background:var(--card)}
.scroll{overflow-x:auto}
details{margin-top:12px}
summary{cursor:pointer;font-weight:600}
svg text{font-size:11px;fill:var(--ink)}
svg text.dim{fill:var(--soft);font-size:10.5px}
svg.matrix .pos{fill:var(--pos)}
svg.matrix .neg{fill:var(--neg)}
svg.matrix .r{font-size:9px}
svg.matrix .on{fill:var(--card)}
svg.coverage rect{fill:var(--c)}
.s1{fill-opacity:.25}.s2{fill-opacity:.45}.s3{fill-opacity:.7}.s4{fill-opacity:.95}
.pair{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,560px),1fr));gap:14px}
svg.track{max-width:900px;margin:0 auto}
svg.track path{fill:none;stroke:var(--c);stroke-width:2.2;stroke-linejoin:round;stroke-linecap:round}
svg.track .casing{stroke:var(--c);stroke-width:8;stroke-opacity:.16}
svg.track .start{fill:var(--f2);stroke:var(--card);stroke-width:2}
svg.track .end{fill:var(--f1);stroke:var(--card);stroke-width:2}
svg.track .bar{stroke:var(--soft);stroke-width:1.4}
footer{margin-top:50px;padding-top:14px;border-top:1px solid var(--line);color:var(--soft);font-size:13px}
@media(max-width:520px){main{padding:20px 14px 40px}.plots{grid-template-columns:1fr}h1{font-size:24px}}
@media print{body{background:#fff}.card{break-inside:avoid}}
)css";

}  // namespace iotstream::report
