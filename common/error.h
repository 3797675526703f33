// What went wrong, in words for people. Each level that hands an error up adds its place, so that
// the text reads like "network.yaml:7:12: faults[2].match.site: expected a string".
//
// Convention of the whole project: 0 is ok; negative is fatal (an errno or libuv code, unchanged);
// positive is a condition that the caller must handle, with its text in a struct error.
#pragma once

enum { ERROR_INPUT = 1 }; // what was handed in is wrong, and the text says how

struct error {
    char text[512]; // whatever it quotes: UTF-8, without control characters but LF and TAB
    const void *at; // the JSON value at fault, where one is known: yml_place() finds its line
};

// Both set the text; the first returns ERROR_INPUT, the second the code, with its meaning added.
int error_set(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
int error_system(struct error *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Puts a place before the text: "match" + "site: expected a string" = "match.site: expected...",
// and before a text without one: "match" + "expected an object" = "match: expected an object".
void error_in(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
