#include "common/error.h"

#include "common/text.h"

#include <stdio.h>
#include <string.h>

enum { PLACE_MIN = 100 }; // bytes that a place keeps, even if its text then loses its end

int error_vset(struct error *err, const char *format, va_list args) {
    vsnprintf(err->text, sizeof err->text, format, args);
    text_lines(err->text);
    err->field[0] = '\0';
    err->at = NULL;
    return ERROR_INPUT;
}

int error_set(struct error *err, const char *format, ...) {
    va_list args;
    va_start(args, format);
    error_vset(err, format, args);
    va_end(args);
    return ERROR_INPUT;
}

// Puts place and joint before a string of size bytes; the place gives way first.
static void put_before(char *text, size_t size, const char *place, const char *joint) {
    size_t place_len = strlen(place), joint_len = strlen(joint), text_len = strlen(text);
    size_t room = size - 1 - joint_len;
    if (place_len + text_len > room) {
        size_t left = text_len + PLACE_MIN < room ? room - text_len : PLACE_MIN;
        place_len = text_cut(place, place_len, left);
        text_len = text_cut(text, text_len, room - place_len);
    }
    memmove(text + place_len + joint_len, text, text_len);
    memcpy(text, place, place_len);
    memcpy(text + place_len, joint, joint_len);
    text[place_len + joint_len + text_len] = '\0';
}

__attribute__((format(printf, 2, 0))) static void from(struct error *err, const char *format,
                                                       va_list args) {
    char place[ERROR_TEXT_MAX];
    vsnprintf(place, sizeof place, format, args);
    text_lines(place);
    put_before(err->text, sizeof err->text, place, ": ");
    err->field[0] = '\0';
    err->at = NULL;
}

void error_from(struct error *err, const char *format, ...) {
    va_list args;
    va_start(args, format);
    from(err, format, args);
    va_end(args);
}

int error_system(struct error *err, int code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    error_set(err, "%s", strerror(code < 0 ? -code : code));
    from(err, format, args);
    va_end(args);
    return code;
}

void error_in(struct error *err, const char *format, ...) {
    char place[ERROR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(place, sizeof place, format, args);
    va_end(args);
    text_lines(place);
    const char *joint = err->field[0] == '\0' || err->field[0] == '[' ? "" : ".";
    put_before(err->text, sizeof err->text, place, err->field[0] == '\0' ? ": " : joint);
    put_before(err->field, sizeof err->field, place, joint);
}

void error_in_list(struct error *err, const char *list, size_t index) {
    error_in(err, "%s[%zu]", list, index);
    err->field[0] = '\0';
    put_before(err->field, sizeof err->field, list, "");
}

void error_advise(struct error *err, const char *format, ...) {
    char advice[ERROR_TEXT_MAX / 2];
    va_list args;
    va_start(args, format);
    vsnprintf(advice, sizeof advice, format, args);
    va_end(args);
    text_lines(advice);
    const size_t room = sizeof err->text - sizeof ": " - strlen(advice);
    const size_t len = text_cut(err->text, strlen(err->text), room);
    snprintf(err->text + len, sizeof err->text - len, ": %s", advice);
}
