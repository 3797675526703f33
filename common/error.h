// What went wrong, in words for people. Each level that hands an error up adds its place, so that
// the text reads like "network.yaml:7:12: faults[2].match.site: expected a string".
//
// Convention of the whole project: 0 is ok; negative is fatal (an errno or libuv code, unchanged);
// positive is a condition that the caller must handle, with its text in a struct error.
#pragma once

#include <stdarg.h>
#include <stddef.h>

enum { ERROR_INPUT = 1 }; // what was handed in is wrong, and the text says how
enum { ERROR_TEXT_MAX = 512, ERROR_FIELD_MAX = 256 };

struct error {
    // Begins with the field, where there is one. Whatever it quotes: UTF-8, without control
    // characters but LF and TAB.
    char text[ERROR_TEXT_MAX];
    char field[ERROR_FIELD_MAX]; // the path of the field at fault: "faults[2].match.site", or ""
    const void *at; // the JSON value at fault, where one is known: yml_place() finds its line
};

// Both set the text, in no field; the first returns ERROR_INPUT, the second the code, with its
// meaning added. A text too long loses its end, never a part of a character.
int error_set(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
int error_vset(struct error *err, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
int error_system(struct error *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Puts the place of a field before field and text. "expected an object" in "match" becomes
// "match: expected an object", and that in "faults[2]" "faults[2].match: expected an object". Where
// all becomes too long, the place loses its end before the text does.
void error_in(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

// The same for an element of a list that is one field as a whole: the text says which element, the
// field is the list.
void error_in_list(struct error *err, const char *list, size_t index);

// Puts where it comes from before the text: a file, an address, a program. Its fields are none of
// the reader's, so the error is in no field from here on.
void error_from(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Puts what to do about it behind the text: "log: No space left on device: make room". Where all
// becomes too long, the text loses its end, and the advice stays.
void error_advise(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
