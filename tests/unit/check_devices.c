#include "common/count.h"
#include "orchestrator/devices.h"
#include "tests/unit/support.h"

#include <stdio.h>

Suite *check_devices(void);

static const struct host leaf = {.name = "leaf", .address = "127.0.0.1", .port = 1};

static const struct host others[] = {
    {.name = "LEAF", .address = "127.0.0.1", .port = 1},
    {.name = "leaf", .address = "127.0.0.2", .port = 1},
    {.name = "leaf", .address = "127.0.0.1", .port = 2},
};

START_TEST(a_device_is_known_by_name_address_and_port) {
    struct devices devices;
    devices_init(&devices);
    struct device *device = devices_use(&devices, &leaf);
    struct host again = leaf;
    again.rack = "of another job's inventory";
    again.epochs = true;
    ck_assert_ptr_eq(devices_find(&devices, &again), device);
    ck_assert_ptr_eq(devices_use(&devices, &again), device);
    ck_assert_ptr_null(devices_find(&devices, &others[_i]));
    ck_assert_ptr_ne(devices_use(&devices, &others[_i]), device);
    devices_deinit(&devices);
}
END_TEST

START_TEST(it_keeps_what_it_was_given) {
    char name[] = "leaf", why[] = "connection refused";
    struct devices devices;
    devices_init(&devices);
    struct device *device =
        devices_use(&devices, &(struct host){.name = name, .address = "127.0.0.1", .port = 1});
    device_set_why(device, why);
    name[0] = why[0] = '?';
    ck_assert_str_eq(device->host.name, "leaf");
    ck_assert_str_eq(device->why, "connection refused");
    device_set_why(device, NULL);
    ck_assert_ptr_null(device->why);
    devices_deinit(&devices);
}
END_TEST

START_TEST(of_devices_that_nobody_works_on_the_oldest_are_forgotten) {
    enum { COUNT_ALL = DEVICES_IDLE_MAX + 2 };
    static char names[COUNT_ALL][8];
    struct host *hosts = mem_array(COUNT_ALL, sizeof *hosts);
    struct devices devices;
    devices_init(&devices);
    for (size_t h = 0; h < COUNT_ALL; h++) {
        snprintf(names[h], sizeof names[h], "h%zu", h);
        hosts[h] = (struct host){.name = names[h], .address = "127.0.0.1", .port = 1};
        struct device *device = devices_use(&devices, &hosts[h]);
        if (h == 0) device->users++;
        devices_let_rest(&devices, device);
        if (h == COUNT_ALL - 2) ck_assert_ptr_nonnull(devices_find(&devices, &hosts[1]));
    }
    ck_assert_uint_eq(devices.idle.count, DEVICES_IDLE_MAX);
    ck_assert_ptr_nonnull(devices_find(&devices, &hosts[0])); // it has a user
    ck_assert_ptr_null(devices_find(&devices, &hosts[1]));
    for (size_t h = 2; h < COUNT_ALL; h++)
        ck_assert_ptr_nonnull(devices_find(&devices, &hosts[h]));
    devices_find(&devices, &hosts[0])->users--;
    devices_let_rest(&devices, devices_find(&devices, &hosts[0]));
    ck_assert_ptr_nonnull(devices_find(&devices, &hosts[0])); // the youngest now
    ck_assert_ptr_null(devices_find(&devices, &hosts[2]));
    devices_deinit(&devices);
    free(hosts);
}
END_TEST

// Each way in which somebody may yet work on it.
START_TEST(a_device_that_is_used_does_not_rest) {
    struct device d = {0};
    struct devices devices;
    struct {
        int any;
    } somebody = {0};
    devices_init(&devices);
    if (_i == 0) d.turn = (struct turn *)&somebody;
    if (_i == 1) d.users = 1;
    if (_i == 2) d.ask = ASK_LEAVING;
    if (_i == 3) d.contact = &somebody;
    if (_i == 4) d.is_next = true;
    devices_let_rest(&devices, &d);
    ck_assert_uint_eq(devices.idle.count, _i == 5);
    devices_deinit(&devices);
}
END_TEST

static void assert_list(const struct device_list *list, const struct device *all,
                        const char *expected) {
    const struct device *last = NULL;
    ck_assert_uint_eq(list->count, strlen(expected));
    for (const struct device *d = list->first; d != NULL; last = d, d = d->behind) {
        ck_assert_int_eq(d - all, *expected++ - '0');
        ck_assert_ptr_eq(d->ahead, last);
    }
    ck_assert_ptr_eq(list->last, last);
}

START_TEST(a_list_lets_go_of_any_of_its_devices) {
    struct device all[4] = {0};
    struct device_list list = {0};
    for (size_t i = 0; i < COUNT(all); i++)
        device_list_append(&list, &all[i]);
    assert_list(&list, all, "0123");
    device_list_take_out(&list, &all[1]);
    assert_list(&list, all, "023");
    device_list_take_out(&list, &all[3]);
    assert_list(&list, all, "02");
    device_list_take_out(&list, &all[0]);
    assert_list(&list, all, "2");
    device_list_append(&list, &all[0]);
    assert_list(&list, all, "20");
    device_list_take_out(&list, &all[2]);
    device_list_take_out(&list, &all[0]);
    assert_list(&list, all, "");
}
END_TEST

Suite *check_devices(void) {
    Suite *suite = suite_create("devices");
    TCase *tcase = tcase_create("devices");
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, a_device_is_known_by_name_address_and_port, 0, COUNT(others));
    tcase_add_test(tcase, it_keeps_what_it_was_given);
    tcase_add_test(tcase, of_devices_that_nobody_works_on_the_oldest_are_forgotten);
    tcase_add_loop_test(tcase, a_device_that_is_used_does_not_rest, 0, 6);
    tcase_add_test(tcase, a_list_lets_go_of_any_of_its_devices);
    return suite;
}
