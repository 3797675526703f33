// Server-Sent Events out of text. Touches no document.

// One event at a time; returns what is left of the text, an event that is not whole yet.
export function parse(text, tell) {
  for (;;) {
    const end = text.indexOf("\n\n");
    if (end < 0) return text;
    const event = { id: null, name: "message", data: "" };
    for (const line of text.slice(0, end).split("\n")) {
      if (line.startsWith("id: ")) event.id = line.slice(4);
      else if (line.startsWith("event: ")) event.name = line.slice(7);
      else if (line.startsWith("data: ")) event.data += line.slice(6);
    }
    text = text.slice(end + 2);
    if (event.data !== "") tell(event);
  }
}
