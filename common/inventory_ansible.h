// An Ansible inventory, as `ansible-inventory --list` prints it:
//   {"_meta": {"hostvars": {"sw017": {"ansible_host": "192.0.2.31", "ansible_port": 830,
//                                     "ansible_network_os": "acmeos", "site": "ams1",
//                                     "dev_type": "acc", "stack": "ams1-s03"}}},
//    "all": {"children": ["ams"]}, "ams": {"hosts": ["sw017"]}}
// Variables are merged there already. Those of the connection, ansible_*, are no attributes.
#pragma once

#include "common/inventory_builder.h"

bool inventory_is_ansible(const cJSON *document);
void inventory_ansible_read(struct inventory_builder *b, const cJSON *document);
