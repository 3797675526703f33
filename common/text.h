// Text of others (what devices answer, what files and requests hold), made fit for people and for
// whoever reads line by line.
#pragma once

#include <stddef.h>

// In place, never longer: it is UTF-8 and one line for every reader. A control character (C0, C1,
// DEL), U+2028, U+2029 and what is not UTF-8 become '?' each; a character that was cut off at the
// end of the text goes.
void text_line(char *s);

// The same, but LF and TAB stay.
void text_lines(char *s);

// The same, but all control characters stay: it is UTF-8.
void text_utf8(char *s);

// The length of the longest beginning of at most max bytes that ends with a whole character.
size_t text_cut(const char *s, size_t len, size_t max);
