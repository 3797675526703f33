// The assembler takes the file in; make rebuilds this object when the file changes.
#include "orchestrator/swagger.h"

__asm__(".section .rodata\n"
        ".global swagger_yaml\n"
        "swagger_yaml:\n"
        ".incbin \"spec/orchestrator.yaml\"\n"
        "swagger_yaml_end:\n"
        ".byte 0\n"
        ".balign 8\n"
        ".global swagger_yaml_len\n"
        "swagger_yaml_len:\n"
        ".quad swagger_yaml_end - swagger_yaml\n"
        ".previous\n");
