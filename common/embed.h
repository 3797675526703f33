// Takes a file into the program, through the assembler: EMBED(page, "web/index.html") defines
//   const char page[]       its bytes, and a NUL behind them
//   const size_t page_len   how many bytes, without the NUL
// The Makefile names the file as a prerequisite of the object.
#pragma once

#define EMBED(name, file)                                                                          \
    __asm__(".section .rodata\n"                                                                   \
            ".global " #name "\n" #name ":\n"                                                      \
            ".incbin \"" file "\"\n" #name "_end:\n"                                               \
            ".byte 0\n"                                                                            \
            ".balign 8\n"                                                                          \
            ".global " #name "_len\n" #name "_len:\n"                                              \
            ".quad " #name "_end - " #name "\n"                                                    \
            ".previous\n")
