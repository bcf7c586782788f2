/*
 * What standin.h promises, seen from C. It needs a service with the workers of the chaos suite (chaos-tests sdk-worker),
 * and a folder that it may write to.
 *
 *     surface ENDPOINT FOLDER
 */
#include "check.h"

static void the_library_tells_its_version(void)
{
    CHECK(standin_abi() == 1);
    DONE(0, standin_version(text, sizeof text, &needed));
    CHECK(needed > 4 && strchr(text, '.') != NULL);
}

static void values_come_back_as_they_went(standin_int64 client)
{
    static const char large[] = "0123456789";
    standin_int64 call = new_call(client, "sdk.give_back"), whole, copied, total, i;
    standin_int32 type, truth;
    double number;

    DONE(call, standin_set_text(call, "to[0]", "anna@example.org"));
    DONE(call, standin_add(call, "to", "ben@example.org"));
    DONE(call, standin_set_int(call, "headers.X-Id", 17));
    DONE(call, standin_set_number(call, "half", 0.5));
    DONE(call, standin_set_bool(call, "yes", 1));
    DONE(call, standin_set_null(call, "nothing"));
    DONE(call, standin_set_bytes(call, "raw", "a\0b", 3));
    DONE(call, standin_set_text_buffer(call, "buffered", "abc...", 3));
    DONE(call, standin_set_utf8(call, "utf8", "\303\274", 2));
    DONE(call, standin_set_list(call, "empty"));
    DONE(call, standin_set_map(call, "headers.more"));
    DONE(call, standin_set_json(call, "json", "[1,{\"a\":\"b\"}]", 13));
    for (i = 0; i < 1000; i++)
    {
        DONE(call, standin_append_text(call, "large", large, 10));
        DONE(call, standin_append_bytes(call, "bytes", large, 10));
    }
    DONE(call, standin_send(call, LIMIT));

    DONE(call, standin_get_text(call, "to[1]", text, sizeof text, &needed));
    CHECK(is("ben@example.org"));
    DONE(call, standin_get_text(call, "headers.X-Id", text, sizeof text, &needed));
    CHECK(is("17"));
    DONE(call, standin_get_int(call, "headers.X-Id", &whole));
    CHECK(whole == 17);
    DONE(call, standin_get_number(call, "half", &number));
    CHECK(number == 0.5);
    DONE(call, standin_get_bool(call, "yes", &truth));
    CHECK(truth == 1);
    CODE(call, standin_get_int(call, "nothing", &whole), STANDIN_NULL);
    CODE(call, standin_get_int(call, "none.at.all", &whole), STANDIN_MISSING);
    CODE(call, standin_get_int(call, "to[0]", &whole), STANDIN_WRONG_TYPE);
    CODE(call, standin_get_int(call, "to[0].x", &whole), STANDIN_BAD_PATH);
    CODE(call, standin_get_int(call, "to[", &whole), STANDIN_BAD_PATH);
    DONE(call, standin_get_text(call, "utf8", text, sizeof text, &needed));
    CHECK(is("\303\274"));
    DONE(call, standin_get_json(call, "json", text, sizeof text, &needed));
    CHECK(is("[1,{\"a\":\"b\"}]"));
    DONE(call, standin_type(call, "raw", &type));
    CHECK(type == STANDIN_TYPE_BYTES);
    DONE(call, standin_type(call, "none", &type));
    CHECK(type == STANDIN_TYPE_MISSING);
    DONE(call, standin_count(call, "to", &whole));
    CHECK(whole == 2);
    DONE(call, standin_count(call, "", &whole));
    CHECK(whole == 12);
    DONE(call, standin_key(call, "headers", 0, text, sizeof text, &needed));
    CHECK(is("X-Id"));
    DONE(call, standin_get_int(call, "headers.#0", &whole));
    CHECK(whole == 17);
    CODE(call, standin_key(call, "headers", 2, text, sizeof text, &needed), STANDIN_MISSING);

    /* What does not fit leaves the buffer as it was, but for a NUL at its beginning. */
    memcpy(text, "before", 7);
    CODE(call, standin_get_text(call, "to[0]", text, 16, &needed), STANDIN_TOO_SMALL);
    CHECK(needed == 16 && text[0] == 0 && memcmp(text + 1, "efore", 6) == 0);
    CODE(call, standin_get_text(call, "to[0]", NULL, 0, &needed), STANDIN_TOO_SMALL);
    CHECK(needed == 16);
    DONE(call, standin_get_text(call, "to[0]", text, 17, NULL));
    CHECK(strcmp(text, "anna@example.org") == 0);

    /* In pieces. */
    for (whole = 0, total = 1; whole < total; whole += copied)
    {
        DONE(call, standin_get_text_part(call, "large", whole, text, 777, &copied, &total));
        CHECK(copied > 0 && total == 10000 && text[0] == large[whole % 10]);
        DONE(call, standin_get_bytes(call, "bytes", whole, text, 777, &copied, &total));
        CHECK(copied > 0 && total == 10000 && text[0] == large[whole % 10]);
    }
    DONE(call, standin_get_bytes(call, "raw", 0, text, sizeof text, &copied, &total));
    CHECK(copied == 3 && total == 3 && memcmp(text, "a\0b", 3) == 0);
    DONE(call, standin_close(call));
}

static void a_call_in_one_takes_json_and_files(standin_int64 client, const char *folder)
{
    char name[1000], again[1000];
    standin_int64 call, copied, total;
    FILE *file;

    CHECK(strlen(folder) < 900);
    sprintf(name, "%s/a file", folder);
    sprintf(again, "%s/another file", folder);
    file = fopen(name, "wb");
    CHECK(file != NULL && fwrite("\0\377data", 1, 6, file) == 6 && fclose(file) == 0);
    DONE(client, standin_call_file(client, "sdk.give_back", "{\"files\":[{}]}", "files[0].content", name, LIMIT, &call));
    DONE(call, standin_save_file(call, "files[0].content", again));
    file = fopen(again, "rb");
    CHECK(file != NULL && fread(text, 1, 100, file) == 6 && fclose(file) == 0);
    CHECK(memcmp(text, "\0\377data", 6) == 0);
    DONE(call, standin_get_bytes(call, "files[-1].content", 1, text, 2, &copied, &total));
    CHECK(copied == 2 && total == 6);
    DONE(call, standin_close(call));
    CODE(client, standin_call_file(client, "sdk.give_back", "", "x", "/no/such/file", LIMIT, &call), STANDIN_FILE);
    CHECK(call == 0);
    CODE(client, standin_call(client, "sdk.give_back", "{", LIMIT, &call), STANDIN_BAD_ARGUMENT);
    CHECK(call == 0);
    DONE(client, standin_call(client, "standin.ping", NULL, LIMIT, &call));
    DONE(call, standin_get_text(call, "", text, sizeof text, &needed));
    CHECK(is("pong"));
    DONE(call, standin_close(call));
}

static void an_error_says_all_there_is_to_know(standin_int64 client)
{
    standin_int64 call, wait_ms;
    standin_int32 number;

    CODE(client, standin_call(client, "sdk.fail", "", LIMIT, &call), STANDIN_FAILED);
    CHECK(call > 0);
    DONE(call, standin_error_number(call, &number));
    CHECK(number == 1007);
    DONE(call, standin_error_code(call, text, sizeof text, &needed));
    CHECK(is("sdk.broken"));
    DONE(call, standin_error_outcome(call, text, sizeof text, &needed));
    CHECK(is("not_executed"));
    DONE(call, standin_error_message(call, text, sizeof text, &needed));
    CHECK(is("It is broken."));
    DONE(call, standin_error_retry_after(call, &wait_ms));
    CHECK(wait_ms == 1500);
    DONE(call, standin_error_data(call, text, sizeof text, &needed));
    CHECK(is("[1,2,3]"));
    /* To ask for a result that there is not does not hide it. */
    CODE(call, standin_get_text(call, "", text, sizeof text, &needed), STANDIN_FAILED);
    CODE(call, standin_wait(call, 0), STANDIN_FAILED);
    DONE(call, standin_error_number(call, &number));
    CHECK(number == 1007);
    DONE(call, standin_close(call));
}

static void several_calls_are_in_flight_and_one_is_taken_back(standin_int64 client)
{
    standin_int64 slow = new_call(client, "sdk.wait"), calls[20], ended, seen = 0;
    standin_int32 code;
    int i;

    CODE(slow, standin_wait(slow, 0), STANDIN_BAD_STATE);
    DONE(slow, standin_start(slow));
    CODE(slow, standin_start(slow), STANDIN_BAD_STATE);
    CODE(slow, standin_set_int(slow, "x", 1), STANDIN_BAD_STATE);
    CODE(slow, standin_get_text(slow, "", text, sizeof text, &needed), STANDIN_BAD_STATE);
    CODE(slow, standin_wait(slow, 20), STANDIN_PENDING);
    for (i = 0; i < 20; i++)
    {
        calls[i] = new_call(client, "sdk.echo");
        sprintf(text, "%d", i);
        DONE(calls[i], standin_set_text(calls[i], "text", text));
        DONE(calls[i], standin_start(calls[i]));
    }
    DONE(calls[7], standin_wait(calls[7], LIMIT));
    for (i = 0; i < 19; i++)
    {
        DONE(client, standin_wait_any(client, LIMIT, &ended));
        CHECK(ended != slow && ended != calls[7]);
        seen += ended;
    }
    for (i = 0; i < 20; i++)
    {
        seen -= calls[i] == calls[7] ? 0 : calls[i];
        DONE(calls[i], standin_get_text(calls[i], "", text, sizeof text, &needed));
        CHECK(atoi(text) == i);
        DONE(calls[i], standin_close(calls[i]));
    }
    CHECK(seen == 0);
    CODE(client, standin_wait_any(client, 20, &ended), STANDIN_PENDING);
    DONE(slow, standin_cancel(slow));
    CODE(client, standin_wait_any(client, LIMIT, &ended), STANDIN_FAILED);
    CHECK(ended == slow);
    DONE(slow, standin_error_code(slow, text, sizeof text, &needed));
    CHECK(is("cancelled"));
    code = standin_wait_any(client, LIMIT, &ended);
    CHECK(code == STANDIN_BAD_STATE);
    DONE(slow, standin_close(slow));
}

static void the_calls_of_a_batch_have_their_own_ends(standin_int64 client)
{
    standin_int64 batch, calls[100];
    int i;

    DONE(client, standin_batch_new(client, &batch));
    for (i = 0; i < 100; i++)
    {
        calls[i] = new_call(client, i == 40 ? "sdk.fail" : "sdk.echo");
        sprintf(text, "%d", i);
        DONE(calls[i], standin_set_text(calls[i], "text", text));
        DONE(batch, standin_batch_add(batch, calls[i]));
    }
    CODE(batch, standin_batch_add(batch, calls[3]), STANDIN_BAD_STATE);
    CODE(batch, standin_batch_add(batch, batch), STANDIN_BAD_HANDLE);
    CODE(calls[3], standin_start(calls[3]), STANDIN_BAD_STATE);
    DONE(batch, standin_send(batch, LIMIT));
    for (i = 0; i < 100; i++)
    {
        if (i == 40)
        {
            CODE(calls[i], standin_wait(calls[i], 0), STANDIN_FAILED);
            DONE(calls[i], standin_error_code(calls[i], text, sizeof text, &needed));
            CHECK(is("sdk.broken"));
        }
        else
        {
            DONE(calls[i], standin_wait(calls[i], 0));
            DONE(calls[i], standin_get_text(calls[i], "", text, sizeof text, &needed));
            CHECK(atoi(text) == i);
        }
        DONE(calls[i], standin_close(calls[i]));
    }
    DONE(batch, standin_close(batch));
}

static void texts_are_in_the_code_page_of_the_client(const char *endpoint)
{
    standin_int64 client, call, copied, total;

    DONE(0, standin_open_as(endpoint, "ISO8859-1", "surface.c", LIMIT, &client));
    call = new_call(client, "sdk.give_back");
    DONE(call, standin_set_text(call, "gr\374n", "\374"));
    DONE(call, standin_set_json(call, "euro", "\"10 \342\202\254\"", 8));
    CODE(call, standin_set_text_buffer(call, "x", "a\0b", 3), STANDIN_BAD_TEXT);
    DONE(call, standin_error_message(call, text, sizeof text, &needed));
    CHECK(strstr(text, "a NUL at position 2") != NULL);
    DONE(call, standin_send(call, LIMIT));
    DONE(call, standin_get_text(call, "gr\374n", text, sizeof text, &needed));
    CHECK(is("\374"));
    DONE(call, standin_get_bytes(call, "gr\374n", 0, text, sizeof text, &copied, &total));
    CHECK(total == 2 && memcmp(text, "\303\274", 2) == 0);
    CODE(call, standin_get_text(call, "euro", text, sizeof text, &needed), STANDIN_BAD_TEXT);
    DONE(call, standin_error_message(call, text, sizeof text, &needed));
    CHECK(strstr(text, "U+20AC at position 4") != NULL);
    DONE(client, standin_set_replacement(client, "?"));
    DONE(call, standin_get_text(call, "euro", text, sizeof text, &needed));
    CHECK(is("10 ?"));
    DONE(client, standin_close(client));
    CODE(0, standin_get_text(call, "", text, sizeof text, &needed), STANDIN_BAD_HANDLE);

    CODE(0, standin_open(endpoint, "no such page", LIMIT, &client), STANDIN_BAD_ARGUMENT);
    CHECK(client == 0);
    DONE(0, standin_error_message(0, text, sizeof text, &needed));
    CHECK(strstr(text, "no such page") != NULL);
}

static void a_service_that_is_not_there_is_told(const char *endpoint)
{
    static char other[1000];
    standin_int64 client, call;
    standin_int32 number;

    CHECK(strlen(endpoint) < 900);
    sprintf(other, "%s-not", endpoint);
    CODE(0, standin_open(other, "", 50, &client), STANDIN_NOT_RUNNING);
    CHECK(client > 0);
    DONE(client, standin_error_number(client, &number));
    CHECK(number == STANDIN_NOT_RUNNING);
    DONE(client, standin_error_code(client, text, sizeof text, &needed));
    CHECK(is("not_running"));
    CODE(client, standin_call_new(client, "standin.ping", &call), STANDIN_NOT_RUNNING);
    /* Who looks at nothing before the end hears of what came first. */
    CHECK(call == 0);
    CODE(0, standin_set_text(call, "text", "a"), STANDIN_BAD_HANDLE);
    CODE(0, standin_send(call, 1000), STANDIN_BAD_HANDLE);
    DONE(call, standin_error_code(call, text, sizeof text, &needed));
    CHECK(is("not_running"));
    DONE(call, standin_error_number(call, &number));
    CHECK(number == STANDIN_NOT_RUNNING);
    CODE(0, standin_close(call), STANDIN_BAD_HANDLE);
    DONE(client, standin_close(client));
}

static void wrong_handles_and_pointers_are_errors(standin_int64 client)
{
    standin_int64 call = new_call(client, "sdk.echo"), other, number;
    standin_int32 type;

    CODE(call, standin_set_text(call, "text", NULL), STANDIN_BAD_ARGUMENT);
    CODE(call, standin_set_text(call, NULL, "a"), STANDIN_BAD_ARGUMENT);
    CODE(call, standin_set_bytes(call, "a", NULL, 1), STANDIN_BAD_ARGUMENT);
    CODE(call, standin_set_bytes(call, "a", "a", -1), STANDIN_BAD_ARGUMENT);
    CODE(call, standin_wait(call, -1), STANDIN_BAD_ARGUMENT);
    CODE(call, standin_type(call, "", NULL), STANDIN_BAD_ARGUMENT);
    CODE(call, standin_get_text(call, "", NULL, 5, &needed), STANDIN_BAD_ARGUMENT);
    CODE(call, standin_call_new(call, "sdk.echo", &other), STANDIN_BAD_HANDLE);
    CODE(client, standin_start(client), STANDIN_BAD_HANDLE);
    CODE(client, standin_answer(client), STANDIN_BAD_HANDLE);
    CODE(client, standin_call_new(client, NULL, &other), STANDIN_BAD_ARGUMENT);
    CODE(client, standin_call_new(client, "sdk.echo", NULL), STANDIN_BAD_ARGUMENT);
    DONE(call, standin_close(call));
    CODE(0, standin_close(call), STANDIN_BAD_HANDLE);
    CODE(0, standin_start(call), STANDIN_BAD_HANDLE);
    CODE(0, standin_type(call, "", &type), STANDIN_BAD_HANDLE);
    CODE(0, standin_get_int(-5, "", &number), STANDIN_BAD_HANDLE);
    CODE(client, standin_call_new(client, "sdk.echo", &call), 0);
    CODE(0, standin_start(0), STANDIN_BAD_HANDLE);
    DONE(0, standin_error_code(0, text, sizeof text, &needed));
    CHECK(is("bad_handle"));
    DONE(call, standin_close(call));
    CODE(0, standin_set_int(0x7fffffff, "", 1), STANDIN_BAD_HANDLE);
}

int main(int count, char **arguments)
{
    standin_int64 client;

    if (count != 3)
    {
        fprintf(stderr, "usage: surface ENDPOINT FOLDER\n");
        return 2;
    }
    the_library_tells_its_version();
    a_service_that_is_not_there_is_told(arguments[1]);
    DONE(0, standin_open(arguments[1], "UTF-8", LIMIT, &client));
    values_come_back_as_they_went(client);
    a_call_in_one_takes_json_and_files(client, arguments[2]);
    an_error_says_all_there_is_to_know(client);
    several_calls_are_in_flight_and_one_is_taken_back(client);
    the_calls_of_a_batch_have_their_own_ends(client);
    texts_are_in_the_code_page_of_the_client(arguments[1]);
    wrong_handles_and_pointers_are_errors(client);
    DONE(client, standin_close(client));
    CODE(0, standin_close(client), STANDIN_BAD_HANDLE);
    printf("surface.c: %d checks held\n", checks);
    return 0;
}
