// ACME's own form of an inventory:
//   {"earth": {"spine00.earth": {"platform": "acmeos", "dev_type": "spine", "rack": "20",
//                                "hostname": "127.0.0.1", "port": 8300}}}
#pragma once

#include "common/inventory_builder.h"

void inventory_acme_read(struct inventory_builder *b, const cJSON *document);
