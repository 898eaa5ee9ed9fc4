/**
 * A page with a drawing that can be moved and zoomed.
 *
 * @module
 */
import { escapeHtml, page } from "../html.ts";

const STYLE = `
body { margin: 0; overflow: hidden; background: #fff; color: #000; }
h1 { position: absolute; bottom: 0; margin: 0.5rem; font-size: 0.8rem; background: #fffc; }
svg { width: 100vw; height: 100vh; cursor: grab; }
`;

/** Dragging moves the drawing, the wheel zooms it. Both change the view box. */
const SCRIPT = `
const svg = document.querySelector("svg");
svg.removeAttribute("width");
svg.removeAttribute("height");
const box = svg.viewBox.baseVal;
// Show the top of a tall drawing, in a readable size.
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

/** Makes a page with an SVG drawing. */
export function drawingPage(title: string, svg: string): string {
  return page(title, `<h1>${escapeHtml(title)}</h1>\n${svg.slice(svg.indexOf("<svg"))}`, STYLE, SCRIPT);
}
