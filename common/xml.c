#include "common/xml.h"

#include "common/utf8.h"

#include <stdbool.h>
#include <string.h>

// U+FFFE and U+FFFF are no characters of XML.
static bool is_noncharacter(const char *text, size_t len) {
    return len == 3 &&
           (memcmp(text, "\xef\xbf\xbe", 3) == 0 || memcmp(text, "\xef\xbf\xbf", 3) == 0);
}

// XML 1.0: five characters are written as entities, and control characters cannot be written.
void xml_add(struct buf *out, const char *text) {
    for (size_t left = strlen(text), len; left > 0; text += len, left -= len) {
        static const char special[] = "&<>\"\n";
        static const char *const entities[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#10;"};
        const char *found = strchr(special, *text);
        len = utf8_len((const unsigned char *)text, left);
        if (found != NULL)
            buf_adds(out, entities[found - special]);
        else if (len == 0 || (unsigned char)*text < 0x20 || is_noncharacter(text, len))
            buf_adds(out, "?");
        else
            buf_add(out, text, len);
        if (len == 0) len = 1;
    }
}
