#include "scenarios/runner/schema.h"

#include "scenarios/runner/embedded.h"
#include "simulator/device.h"
#include "simulator/fault.h"
#include "simulator/referee.h"
#include "tests/unit/support.h"

#include <stdio.h>

Suite *check_schema(void);

static const char root_text[] =
    "{'$defs': {"
    "  'variable': {'type': 'string', 'pattern': '^[$][{][a-z]+[}]$', 'title': 'one ${name}'},"
    "  'name': {'type': 'string', 'pattern': '^[a-z]+$', 'title': 'a name of letters'},"
    "  'effect': {'anyOf': [{'type': 'string', 'enum': ['error', 'close']},"
    "                       {'$ref': '#/$defs/variable'}]},"
    "  'tree': {'type': 'object', 'additionalProperties': {'$ref': '#/$defs/tree'}}"
    " },"
    " 'type': 'object',"
    " 'additionalProperties': false,"
    " 'required': ['name'],"
    " 'properties': {"
    "  'name': {'$ref': '#/$defs/name', 'description': 'of it'},"
    "  'text': {'type': 'string', 'minLength': 1, 'maxLength': 4},"
    "  'count': {'anyOf': [{'type': 'integer', 'minimum': 1, 'maximum': 9},"
    "                      {'$ref': '#/$defs/variable'}]},"
    "  'share': {'type': 'number', 'minimum': 0},"
    "  'scale': {'type': 'number', 'exclusiveMinimum': 0},"
    "  'low': {'type': 'number', 'maximum': 5},"
    "  'wait': {'type': 'integer', 'minimum': 0, 'maximum': 0, 'title': 'a duration'},"
    "  'effect': {'$ref': '#/$defs/effect'},"
    "  'flag': {'type': 'boolean'},"
    "  'any': {'description': 'any value'},"
    "  'nullable': {'type': ['string', 'null']},"
    "  'list': {'type': 'array', 'minItems': 1, 'items': {'type': 'string'}},"
    "  'pair': {'type': 'array', 'minItems': 2, 'items': {'$ref': '#/$defs/effect'}},"
    "  'one': {'type': 'object', 'minProperties': 1, 'maxProperties': 1,"
    "          'additionalProperties': false,"
    "          'properties': {'left': {'type': 'null'}, 'right': {'type': 'null'}}},"
    "  'some': {'type': 'object', 'minProperties': 1, 'additionalProperties': false,"
    "           'properties': {'left': {'type': 'null'}, 'right': {'type': 'null'}}},"
    "  'map': {'type': 'object', 'minProperties': 1, 'propertyNames': {'$ref': '#/$defs/name'},"
    "          'additionalProperties': {'type': 'integer'}},"
    "  'either': {'anyOf': [{'type': 'array', 'items': {'$ref': '#/$defs/name'}},"
    "                       {'type': 'integer'}, {'$ref': '#/$defs/tree'},"
    "                       {'$ref': '#/$defs/variable'}]},"
    "  'counted': {'anyOf': [{'type': 'object', 'required': ['count'],"
    "                         'additionalProperties': {'type': 'integer'}},"
    "                        {'type': 'object', 'additionalProperties': {'type': 'object'}}]}"
    " }}";

static cJSON *root, *value;

static void set_up(void) {
    root = json_of(root_text);
}

static void tear_down(void) {
    cJSON_Delete(root);
    cJSON_Delete(value);
    value = NULL;
}

static struct findings check(const char *text) {
    struct findings found = {0};
    value = json_of(text);
    schema_check(root, value, &found);
    return found;
}

static const char *const right[] = {
    "{'name': 'a'}",
    "{'name': 'a', 'text': 'four'}",
    "{'name': 'a', 'text': '\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f'}", // four characters, eight bytes
    "{'name': 'a', 'count': 1}",
    "{'name': 'a', 'count': 9.0}",
    "{'name': 'a', 'count': '${n}'}",
    "{'name': 'a', 'share': 0, 'scale': 0.01, 'wait': 0, 'flag': false}",
    "{'name': 'a', 'effect': 'close'}",
    "{'name': 'a', 'effect': '${e}'}",
    "{'name': 'a', 'any': [1, {'b': null}]}",
    "{'name': 'a', 'nullable': null}",
    "{'name': 'a', 'nullable': ''}",
    "{'name': 'a', 'list': ['']}",
    "{'name': 'a', 'pair': ['error', '${e}']}",
    "{'name': 'a', 'one': {'left': null}}",
    "{'name': 'a', 'some': {'left': null, 'right': null}}",
    "{'name': 'a', 'map': {'b': 1, 'c': -2}}",
    "{'name': 'a', 'either': []}",
    "{'name': 'a', 'either': 5}",
    "{'name': 'a', 'either': {'b': {'c': {}}}}",
    "{'name': 'a', 'either': '${hosts}'}",
    "{'name': 'a', 'counted': {'count': 5}}",
    "{'name': 'a', 'counted': {'b': {}}}",
    "{'name': 'a', 'counted': {}}",
};

START_TEST(a_value_that_fits_passes) {
    struct findings found = check(right[_i]);
    ck_assert_msg(found.count == 0, "%s: %s", right[_i], found.list[0].text);
}
END_TEST

static const struct {
    const char *text, *error;
} wrong[] = {
    {"[]", "expected an object, not an array"},
    {"{}", "expected the field name, which is missing"},
    {"{'name': 'a', 'txt': ''}", "txt: unknown field; did you mean text?"},
    {"{'name': 'a', 'qqqqqqqqq': 1}", "qqqqqqqqq: unknown field; known are name, text, count, "
                                      "share, scale, low, wait, effect, flag, any, "
                                      "nullable, list, pair, one, some, map, either, counted"},
    {"{'name': 'a', 'counted': {'count': {}}}",
     "counted.count: expected a whole number, not an object"},
    {"{'name': 'a', 'counted': {'b': 5}}", "counted.b: expected an object, not 5"},
    {"{'name': 'A'}", "name: 'A': expected a name of letters"},
    {"{'name': null}", "name: expected a string, not null: put it in quotes"},
    {"{'name': 'a', 'text': ''}", "text: it is empty: expected some text"},
    {"{'name': 'a', 'text': 'abcde'}", "text: it is too long: expected 4 characters at most"},
    {"{'name': 'a', 'count': 0}", "count: expected a number from 1 to 9, not 0"},
    {"{'name': 'a', 'count': 10}", "count: expected a number from 1 to 9, not 10"},
    {"{'name': 'a', 'count': 1.5}", "count: expected a whole number, not 1.5"},
    {"{'name': 'a', 'count': 'many'}", "count: expected a whole number, not a string"},
    {"{'name': 'a', 'count': '${n}0'}", "count: '${n}0': expected one ${name}"},
    {"{'name': 'a', 'share': -1}", "share: expected 0 at least, not -1"},
    {"{'name': 'a', 'scale': 0}", "scale: expected more than 0, not 0"},
    {"{'name': 'a', 'low': 6}", "low: expected 5 at most, not 6"},
    {"{'name': 'a', 'wait': 5}", "wait: '5': expected a duration"},
    {"{'name': 'a', 'effect': 'eror'}",
     "effect: 'eror' is none of error, close; did you mean error?"},
    {"{'name': 'a', 'effect': 'xxxxxxx'}", "effect: 'xxxxxxx' is none of error, close"},
    {"{'name': 'a', 'effect': 5}", "effect: expected a string, not 5: put it in quotes"},
    {"{'name': 'a', 'flag': 'no'}", "flag: expected true or false, not a string"},
    {"{'name': 'a', 'nullable': 5}",
     "nullable: expected a string or null, not 5: put it in quotes"},
    {"{'name': 'a', 'list': []}", "list: it is empty: expected one element at least"},
    {"{'name': 'a', 'list': ['b', 5]}", "list[1]: expected a string, not 5: put it in quotes"},
    {"{'name': 'a', 'pair': ['error']}", "pair: expected 2 elements at least, not 1"},
    {"{'name': 'a', 'pair': ['error', 'x${e}']}", "pair[1]: 'x${e}': expected one ${name}"},
    {"{'name': 'a', 'one': {}}", "one: expected exactly one of left, right, not 0 of them"},
    {"{'name': 'a', 'one': {'left': null, 'right': null}}",
     "one: expected exactly one of left, right, not 2 of them"},
    {"{'name': 'a', 'some': {}}", "some: expected one at least of left, right, not 0 of them"},
    {"{'name': 'a', 'map': {}}", "map: it is empty: expected one field at least"},
    {"{'name': 'a', 'map': {'B': 1}}", "map: 'B': expected a name of letters"},
    {"{'name': 'a', 'map': {'b': 1.5}}", "map.b: expected a whole number, not 1.5"},
    {"{'name': 'a', 'either': ['b', 'C']}", "either[1]: 'C': expected a name of letters"},
    {"{'name': 'a', 'either': {'b': {'c': 5}}}", "either.b.c: expected an object, not 5"},
    {"{'name': 'a', 'either': 'all'}",
     "either: expected an array or a whole number or an object, not a string"},
};

START_TEST(what_does_not_fit_is_told_with_its_place_and_what_would) {
    struct findings found = check(wrong[_i].text);
    ck_assert_msg(found.count == 1, "%s: %zu", wrong[_i].text, found.count);
    ck_assert_str_eq(found.list[0].text, wrong[_i].error);
    ck_assert_ptr_nonnull(found.list[0].at);
}
END_TEST

START_TEST(an_error_points_at_the_value_that_is_wrong) {
    struct findings found = check("{'name': 'a', 'list': ['b', 5]}");
    ck_assert_uint_eq(found.count, 1);
    ck_assert_ptr_eq(found.list[0].at, cJSON_GetArrayItem(cJSON_GetObjectItem(value, "list"), 1));
}
END_TEST

START_TEST(whatever_does_not_fit_is_told) {
    static const char *const errors[] = {
        "txt: unknown field; did you mean text?", // and name, which is missing, may be meant
        "nam: unknown field; did you mean name?",
        "list[0]: expected a string, not 1: put it in quotes",
        "list[2]: expected a string, not 2: put it in quotes",
        "pair: expected 2 elements at least, not 1",
        "pair[0]: 'no' is none of error, close",
        "either.b.c: expected an object, not 5",
        "either.d: expected an object, not 6",
        "map: 'B': expected a name of letters",
        "map.B: expected a whole number, not 0.5",
    };
    struct findings found =
        check("{'txt': '', 'nam': '', 'list': [1, 'x', 2], 'pair': ['no'], "
              "'either': {'b': {'c': 5}, 'd': 6}, 'map': {'B': 0.5}, 'flag': 1, 'low': 6}");
    ck_assert_uint_eq(found.count, COUNT(errors));
    ck_assert_uint_eq(found.more, 2);
    for (size_t i = 0; i < COUNT(errors); i++)
        ck_assert_str_eq(found.list[i].text, errors[i]);
}
END_TEST

START_TEST(deep_nesting_of_alternatives_takes_no_longer_than_reading_it) {
    enum { DEPTH = 40 };
    struct findings found = {0};
    cJSON *schema = json_of("{'$defs': {'step': {'type': 'object', 'additionalProperties': "
                            "{'type': 'array', 'items': {'anyOf': [{'$ref': '#/$defs/step'}, "
                            "{'type': 'array', 'items': {'$ref': '#/$defs/step'}}]}}}}, "
                            "'$ref': '#/$defs/step'}");
    cJSON *deep = cJSON_CreateNumber(5); // what is wrong, at the bottom
    for (int i = 0; i < DEPTH; i++) {
        cJSON *list = cJSON_CreateArray(), *object = cJSON_CreateObject();
        cJSON_AddItemToArray(list, deep);
        cJSON_AddItemToObject(object, "parallel", list);
        deep = object;
    }
    schema_check(schema, deep, &found);
    ck_assert_uint_eq(found.count, 1);
    const char *text = found.list[0].text;
    ck_assert_ptr_eq(strstr(text, "parallel[0].parallel[0]."), text);
    cJSON_Delete(schema);
    cJSON_Delete(deep);
}
END_TEST

// --- the schema itself

static const char *const known_keywords[] = {
    "$schema",     "$id",           "$defs",         "$ref",
    "title",       "type",          "enum",          "anyOf",
    "description", "default",       "minLength",     "maxLength",
    "pattern",     "minimum",       "maximum",       "minItems",
    "items",       "minProperties", "maxProperties", "exclusiveMinimum",
    "required",    "properties",    "propertyNames", "additionalProperties",
};

static bool is_known(const char *keyword) {
    for (size_t i = 0; i < COUNT(known_keywords); i++)
        if (strcmp(known_keywords[i], keyword) == 0) return true;
    return false;
}

static void check_keywords(const cJSON *schema, const char *place) {
    const cJSON *field, *child;
    char inner[200];
    cJSON_ArrayForEach(field, schema) {
        const char *name = field->string;
        ck_assert_msg(is_known(name), "%s: the checker knows nothing of %s", place, name);
        snprintf(inner, sizeof inner, "%.150s.%.40s", place, name);
        if (strcmp(name, "properties") == 0 || strcmp(name, "$defs") == 0 ||
            strcmp(name, "anyOf") == 0) {
            cJSON_ArrayForEach(child, field) check_keywords(child, inner);
        } else if (cJSON_IsObject(field)) {
            check_keywords(field, inner);
        }
    }
    bool refers = cJSON_HasObjectItem(schema, "$ref");
    bool more = cJSON_HasObjectItem(schema, "type") || cJSON_HasObjectItem(schema, "minItems") ||
                cJSON_HasObjectItem(schema, "anyOf");
    ck_assert_msg(!refers || !more, "%s: what stands beside $ref is overlooked", place);
    ck_assert_msg(!cJSON_HasObjectItem(schema, "pattern") || cJSON_HasObjectItem(schema, "title"),
                  "%s: a pattern without a title in words", place);
}

static cJSON *own_schema(void) {
    cJSON *schema = NULL;
    struct error err;
    int rc = json_parse(scenario_schema, scenario_schema_len, &schema, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    return schema;
}

START_TEST(the_scenario_schema_uses_only_what_the_checker_knows) {
    cJSON *schema = own_schema();
    check_keywords(schema, "schema");
    cJSON_Delete(schema);
}
END_TEST

static bool describes(const cJSON *schema, const cJSON *property) {
    const cJSON *ref = cJSON_GetObjectItem(property, "$ref");
    if (cJSON_HasObjectItem(property, "description")) return true;
    if (ref == NULL) return false;
    const cJSON *defs = cJSON_GetObjectItem(schema, "$defs");
    const char *name = ref->valuestring + strlen("#/$defs/");
    return describes(schema, cJSON_GetObjectItem(defs, name));
}

static void check_described(const cJSON *schema, const cJSON *part) {
    const cJSON *field;
    cJSON_ArrayForEach(field, cJSON_GetObjectItem(part, "properties"))
        ck_assert_msg(describes(schema, field), "%s has no description", field->string);
    cJSON_ArrayForEach(field, part) check_described(schema, field);
}

START_TEST(every_field_of_the_scenario_schema_has_a_description) {
    cJSON *schema = own_schema();
    check_described(schema, schema);
    cJSON_Delete(schema);
}
END_TEST

// The words of an enum, wherever in a part of the schema it stands.
static const cJSON *enum_of(const cJSON *part) {
    const cJSON *words = cJSON_GetObjectItem(part, "enum"), *child;
    if (words != NULL) return words;
    cJSON_ArrayForEach(child, part) {
        words = enum_of(child);
        if (words != NULL) return words;
    }
    return NULL;
}

static void assert_words(const cJSON *words, const char *const *expected, size_t count,
                         const char *also) {
    for (size_t i = 0; i < count; i++)
        ck_assert_str_eq(cJSON_GetArrayItem(words, (int)i)->valuestring, expected[i]);
    ck_assert_int_eq(cJSON_GetArraySize(words), (int)count + (also != NULL));
    if (also != NULL) ck_assert_str_eq(cJSON_GetArrayItem(words, (int)count)->valuestring, also);
}

START_TEST(the_words_of_the_scenario_schema_are_those_of_the_simulator) {
    cJSON *schema = own_schema();
    const cJSON *defs = cJSON_GetObjectItem(schema, "$defs");
    const cJSON *device = cJSON_GetObjectItem(defs, "devices");
    assert_words(enum_of(cJSON_GetObjectItem(defs, "effect")), fault_effect_names,
                 FAULT_EFFECT_COUNT, NULL);
    assert_words(enum_of(cJSON_GetObjectItem(defs, "operation")), operation_names, OPERATION_COUNT,
                 NULL);
    assert_words(enum_of(cJSON_GetObjectItem(defs, "on")), operation_names, OPERATION_COUNT, "any");
    assert_words(enum_of(cJSON_GetObjectItem(defs, "violation")), referee_kind_names,
                 REFEREE_KIND_COUNT, NULL);
    assert_words(enum_of(device), device_state_names, DEVICE_STATE_COUNT, NULL);
    cJSON_Delete(schema);
}
END_TEST

Suite *check_schema(void) {
    Suite *suite = suite_create("schema");
    TCase *tc = tcase_create("schema");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, a_value_that_fits_passes, 0, COUNT(right));
    tcase_add_loop_test(tc, what_does_not_fit_is_told_with_its_place_and_what_would, 0,
                        COUNT(wrong));
    tcase_add_test(tc, an_error_points_at_the_value_that_is_wrong);
    tcase_add_test(tc, whatever_does_not_fit_is_told);
    tcase_add_test(tc, deep_nesting_of_alternatives_takes_no_longer_than_reading_it);
    tcase_add_test(tc, the_scenario_schema_uses_only_what_the_checker_knows);
    tcase_add_test(tc, every_field_of_the_scenario_schema_has_a_description);
    tcase_add_test(tc, the_words_of_the_scenario_schema_are_those_of_the_simulator);
    suite_add_tcase(suite, tc);
    return suite;
}
