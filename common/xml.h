// Text inside XML 1.0: between tags, and as a value in double quotes.
#pragma once

#include "common/buf.h"

// Appends it with entities where it needs some. A '?' stands for each control character but LF, and
// for what is not UTF-8 or no character of XML: nothing else can be written there.
void xml_add(struct buf *out, const char *text);
