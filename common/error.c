#include "common/error.h"

#include "common/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int error_set(struct error *err, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    text_lines(err->text);
    err->at = NULL;
    return ERROR_INPUT;
}

int error_system(struct error *err, int code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    text_lines(err->text);
    err->at = NULL;
    size_t used = strlen(err->text);
    snprintf(err->text + used, sizeof err->text - used, ": %s", strerror(code < 0 ? -code : code));
    return code;
}

void error_in(struct error *err, const char *format, ...) {
    char place[sizeof err->text];
    va_list args;
    va_start(args, format);
    vsnprintf(place, sizeof place, format, args);
    va_end(args);

    char text[sizeof err->text];
    memcpy(text, err->text, sizeof text);
    // A text that begins with a place of its own ("site: ...") continues this one.
    const char *joint = ".";
    if (text[0] == '[')
        joint = "";
    else if (text[0] == '\'' || text[strcspn(text, ": ")] != ':')
        joint = ": ";
    snprintf(err->text, sizeof err->text, "%.200s%s%.300s", place, joint, text);
    text_lines(err->text);
}
