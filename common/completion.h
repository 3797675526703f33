// Completion of a program's command line by a shell: a script, from the same table as --help.
#pragma once

#include "common/buf.h"
#include "common/options.h"

// program has commands, or none. A script offers commands, options, and values where it can know
// them: of an option whose argument is called "on|off" these two, and files for one called FILE.
void completion_bash(const struct options *program, struct buf *out); // for: source <(...)
void completion_zsh(const struct options *program, struct buf *out);  // that, or a file in $fpath
void completion_fish(const struct options *program, struct buf *out); // for: ... | source
