// The known word nearest to a mistyped one, for errors that say what would be right.
#pragma once

#include <stddef.h>

// NULL where none is near. The words are borrowed; the answer is one of them.
const char *suggest(const char *word, const char *const *known, size_t count);
