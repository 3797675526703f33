// Devices in hand over the time of a job.

import { $, clock, say } from "./dom.js";

const canvas = $("chart");

export function draw(model) {
  const samples = model.samples;
  $("chart-figure").hidden = samples.length < 2;
  if (samples.length < 2) return;
  const ratio = devicePixelRatio || 1;
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
  if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
  const style = getComputedStyle(document.documentElement);
  const most = samples.reduce((n, sample) => Math.max(n, sample.inHand), 1);
  const from = samples[0].at;
  const span = Math.max(1, samples.at(-1).at - from);
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.strokeStyle = style.getPropertyValue("--line");
  pen.strokeRect(0.5, 0.5, width - 1, height - 1);
  pen.beginPath();
  pen.moveTo(0, height);
  for (const sample of samples) pen.lineTo(((sample.at - from) / span) * width, height - (sample.inHand / most) * (height - 4));
  pen.strokeStyle = style.getPropertyValue("--in_hand");
  pen.lineWidth = 2;
  pen.stroke();
  pen.lineTo(width, height);
  pen.closePath();
  pen.globalAlpha = 0.18;
  pen.fillStyle = style.getPropertyValue("--in_hand");
  pen.fill();
  pen.globalAlpha = 1;
  say($("chart-text"), `${samples.at(-1).inHand} now, ${most} at most, ${clock(from)} to ${clock(samples.at(-1).at)}`);
}
