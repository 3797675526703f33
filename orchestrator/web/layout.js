// Where each tile of the map is: sites as panels in columns, redundancy groups as frames within.
// Pure; a device of several groups stands in the first of them.

const PANEL_MIN = 300; // px
const GAP = 10;
const TITLE = 24;
const PAD = 8;

export const tileSize = (count) => (count <= 3000 ? 14 : count <= 20_000 ? 11 : 9);

// {height, columns, panels: [{site, x, y, w, h, hosts, frames: [{group, x, y, w, h, hosts}]}],
//  x, y: of each host by its index}. Frames are in the order of their y.
export function layout(hosts, width, tile) {
  const step = tile + 2;
  const pad = tile > 10 ? 3 : 2;
  const between = tile > 10 ? 4 : 3;
  const columns = Math.max(1, Math.floor((width + GAP) / (PANEL_MIN + GAP)));
  const panelWidth = Math.floor((width - GAP * (columns - 1)) / columns);
  const inner = panelWidth - 2 * PAD;
  const perRow = Math.max(1, Math.floor((inner - 2 * pad) / step));
  const x = new Float32Array(hosts.length);
  const y = new Float32Array(hosts.length);

  const sites = new Map();
  for (const host of hosts) {
    const site = host.site ?? "no site";
    if (!sites.has(site)) sites.set(site, new Map());
    const group = host.groups[0] ?? "";
    const frames = sites.get(site);
    if (!frames.has(group)) frames.set(group, []);
    frames.get(group).push(host);
  }

  const heights = new Array(columns).fill(0);
  const panels = [];
  for (const [site, groups] of sites) {
    const column = heights.indexOf(Math.min(...heights));
    const panel = { site, x: column * (panelWidth + GAP), y: heights[column], w: panelWidth, h: 0, hosts: [], frames: [] };
    let fx = 0;
    let fy = TITLE;
    let rowHeight = 0;
    for (const [group, members] of groups) {
      const across = Math.min(members.length, perRow);
      const w = across * step - 2 + 2 * pad;
      const h = Math.ceil(members.length / perRow) * step - 2 + 2 * pad;
      if (fx > 0 && fx + w > inner) {
        fx = 0;
        fy += rowHeight + between;
        rowHeight = 0;
      }
      const frame = { group, x: panel.x + PAD + fx, y: panel.y + fy, w, h, hosts: members };
      members.forEach((host, i) => {
        x[host.index] = frame.x + pad + (i % perRow) * step;
        y[host.index] = frame.y + pad + Math.floor(i / perRow) * step;
      });
      panel.frames.push(frame);
      for (const host of members) panel.hosts.push(host);
      fx += w + between;
      rowHeight = Math.max(rowHeight, h);
    }
    panel.h = fy + rowHeight + PAD;
    heights[column] += panel.h + GAP;
    panels.push(panel);
  }
  return { height: Math.max(0, ...heights.map((height) => height - GAP)), columns, panels, x, y, tile };
}

// The host whose tile is there, or null.
export function hit(map, px, py) {
  const panel = map.panels.find((p) => px >= p.x && px < p.x + p.w && py >= p.y && py < p.y + p.h);
  if (panel === undefined) return null;
  const reach = map.tile + 1;
  for (const frame of panel.frames) {
    if (px < frame.x || px > frame.x + frame.w || py < frame.y || py > frame.y + frame.h) continue;
    return frame.hosts.find((host) => px >= map.x[host.index] - 1 && px < map.x[host.index] + reach &&
      py >= map.y[host.index] - 1 && py < map.y[host.index] + reach) ?? null;
  }
  return null;
}

// The next host in a direction: the one whose tile lies that way and nearest to what is so far away.
export function neighbour(map, hosts, from, dx, dy, far = 0) {
  const fx = map.x[from.index];
  const fy = map.y[from.index];
  let best = null;
  let bestCost = Infinity;
  for (const host of hosts) {
    const along = (map.x[host.index] - fx) * dx + (map.y[host.index] - fy) * dy;
    if (along <= 0.5) continue;
    const across = Math.abs((map.x[host.index] - fx) * dy) + Math.abs((map.y[host.index] - fy) * dx);
    const cost = Math.abs(along - far) + across * 4;
    if (cost < bestCost) [best, bestCost] = [host, cost];
  }
  return best;
}
