// Devices in hand over the time of a job.

import { $, clock, say } from "./dom.js";

const PARTS = 240;
const canvas = $("chart");

export function draw(model, now) {
  const { from, to, values } = model.inHandOverTime(now, PARTS);
  const most = values.reduce((n, value) => Math.max(n, value), 0);
  $("chart-figure").hidden = most === 0;
  if (most === 0) return;
  const ratio = devicePixelRatio || 1;
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
  if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
  const style = getComputedStyle(document.documentElement);
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.strokeStyle = style.getPropertyValue("--line");
  pen.strokeRect(0.5, 0.5, width - 1, height - 1);
  pen.beginPath();
  pen.moveTo(0, height);
  values.forEach((value, i) => {
    const y = height - (value / most) * (height - 4);
    pen.lineTo((i / PARTS) * width, y);
    pen.lineTo(((i + 1) / PARTS) * width, y);
  });
  pen.strokeStyle = style.getPropertyValue("--in_hand");
  pen.lineWidth = 2;
  pen.stroke();
  pen.lineTo(width, height);
  pen.closePath();
  pen.globalAlpha = 0.18;
  pen.fillStyle = style.getPropertyValue("--in_hand");
  pen.fill();
  pen.globalAlpha = 1;
  say($("chart-text"), `${most} at most, ${clock(from)} to ${clock(to)}`);
}
