/**
 * A drawing as a page in which it can be moved and made larger.
 *
 * @module
 */
import { escapeHtml, page } from "../html.ts";

const STYLE = `
body { margin: 0; overflow: hidden; background: #fff; color: #000; }
h1 { position: absolute; bottom: 0; margin: 0.5rem; font-size: 0.8rem; background: #fffc; }
svg { width: 100vw; height: 100vh; cursor: grab; }
`;

/** Moves by dragging, zooms by the wheel: both change what part of the drawing is seen. */
const SCRIPT = `
const svg = document.querySelector("svg");
svg.removeAttribute("width");
svg.removeAttribute("height");
const box = svg.viewBox.baseVal;
// Of a long drawing its beginning, in a size that can be read.
if (box.height > 1.5 * svg.clientHeight) {
  box.x = (box.width - svg.clientWidth) / 2;
  box.width = svg.clientWidth;
  box.height = svg.clientHeight;
}
const scale = () => Math.max(box.width / svg.clientWidth, box.height / svg.clientHeight);
svg.addEventListener("wheel", (event) => {
  event.preventDefault();
  const factor = Math.exp(event.deltaY / 500);
  const x = box.x + box.width / 2 + (event.clientX - svg.clientWidth / 2) * scale();
  const y = box.y + box.height / 2 + (event.clientY - svg.clientHeight / 2) * scale();
  box.x = x + (box.x - x) * factor;
  box.y = y + (box.y - y) * factor;
  box.width *= factor;
  box.height *= factor;
}, { passive: false });
svg.addEventListener("pointermove", (event) => {
  if (event.buttons !== 1) return;
  const size = scale();
  box.x -= event.movementX * size;
  box.y -= event.movementY * size;
});
`;

/** A page with a drawing, which is SVG. */
export function drawingPage(title: string, svg: string): string {
  return page(title, `<h1>${escapeHtml(title)}</h1>\n${svg.slice(svg.indexOf("<svg"))}`, STYLE, SCRIPT);
}
