/*
 * standin.h - the C library of Standin: libstandin.so, standin.dll
 *
 * For every language that can call a C function with numbers, texts and buffers of its own. There are no structs, no
 * returned pointers, no functions to hand over and no threads to think of: the library has none, and any thread may use
 * any handle. It sets no signal handlers, prints nothing, changes no environment, and stays in the process once it is
 * loaded, however often it is unloaded.
 *
 *     int64_t client, mail;
 *     standin_open("", "UTF-8", 5000, &client);
 *     standin_call_new(client, "mail.send", &mail);
 *     standin_set_text(mail, "to[]", "ben@example.org");
 *     standin_set_text(mail, "subject", "Order 17");
 *     standin_set_key(mail, "order-17");
 *     if (standin_send(mail, 60000) != STANDIN_OK)
 *         standin_error_message(mail, text, sizeof text, &needed);
 *     standin_close(mail);
 *     standin_close(client);
 *
 * Return codes. Every function returns one of the codes below: 0 when all went well, above 0 for what may well happen,
 * below 0 for what should not. Each code below 0, and STANDIN_FAILED, leaves an error on the handle that was given, to
 * be read with the functions standin_error_... until the next one takes its place. Where there is no such handle they
 * tell it for handle 0, which is the whole process.
 *
 * Handles. A number above 0 names a client, a call, a batch or a callback; none is ever used twice in a process. One that
 * is closed, was never given out, or came from before a fork, is STANDIN_BAD_HANDLE; so is one of the wrong kind. A
 * process that was forked opens a client of its own. A function that fails to make a call or a batch gives 0; that is
 * STANDIN_BAD_HANDLE as well, but its error stays that of the function, so that a program may look only once, at the end.
 *
 * Texts. What goes in as `const char *` ends with a NUL and is in the code page that was given to standin_open; what
 * comes out is in it as well. A character that the code page has not, or bytes that mean nothing there, are
 * STANDIN_BAD_TEXT, and the sentence names them and their position. JSON in buffers is always UTF-8. Bytes stay as they
 * are.
 *
 * Buffers. The caller owns them: `buffer`, its `capacity` in bytes, and `needed`, which is set to the bytes that the
 * value takes, without the NUL behind a text. A text fits if `capacity` is greater than `needed`. If it does not fit, the
 * code is STANDIN_TOO_SMALL and nothing is written but, in a text buffer that has room for it, a NUL at the beginning.
 * `needed` may be NULL, and `buffer` with a `capacity` of 0 to ask for the length only. Other output pointers must not
 * be NULL.
 *
 * Paths. `subject` is an entry of a map, `to[0]` an item of a list (counted from 0), `files[1].name` one in the other,
 * the empty text the whole. `[]` is the place behind the last item, `[-1]` the last item. `headers.'X.Id'` quotes a name
 * with a dot, bracket or quote in it ('' is a quote). `headers.#2` is the value of the third entry of a map. Setting
 * makes the lists and maps on the way; a list grows by one item at a time.
 *
 * Time. All times are milliseconds. Nothing waits longer than it was allowed to, but for a grace of five seconds in which
 * the service's own word on an ended call is waited for.
 *
 * Lost connections. They are made again while the program is in a function that sends or waits, and at no other time. The
 * service, which may have been killed and started again, keeps a session for a minute without a connection. Who comes back
 * later finds the calls that were started ended with `outcome_unknown`; with a key, or vouched for, they are sent again.
 *
 * Jobs. A call that must outlive the program is made by the method `job.submit` with `method`, `params`, a list of one map,
 * and `key`. It answers `job`, the name by which `job.status` and `job.result` tell of it. So a mail waits for its server:
 *
 *     standin_call_new(client, "job.submit", &submit);
 *     standin_set_text(submit, "method", "mail.send");
 *     standin_set_text(submit, "params[0].to[]", "ben@example.org");
 *     standin_set_text(submit, "key", "order-17");
 */
#ifndef STANDIN_H
#define STANDIN_H

#if defined(_MSC_VER) && _MSC_VER < 1600
typedef __int32 standin_int32;
typedef __int64 standin_int64;
#else
#include <stdint.h>
typedef int32_t standin_int32;
typedef int64_t standin_int64;
#endif

#if defined(_WIN32)
#define STANDIN_API __cdecl
#else
#define STANDIN_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* == Return codes == */

/* It is done; of a wait: the call has its result. */
#define STANDIN_OK 0
/* The call has no answer yet. */
#define STANDIN_PENDING 1
/* The service asks something: see standin_callback. */
#define STANDIN_CALLBACK 2
/* The call ended with an error; the functions standin_error_... tell which. */
#define STANDIN_FAILED 3
/* The buffer is too small; `needed` says how many bytes the value takes. */
#define STANDIN_TOO_SMALL 4
/* There is nothing at this path. */
#define STANDIN_MISSING 5
/* What is there is nil. */
#define STANDIN_NULL 6
/* The handle is closed, foreign, of another kind, or from before a fork. */
#define STANDIN_BAD_HANDLE -1
/* An argument makes no sense: a NULL pointer, a negative length, an unknown code page. */
#define STANDIN_BAD_ARGUMENT -2
/* The path cannot be read, or leads through what is no list or map. */
#define STANDIN_BAD_PATH -3
/* What is there is of another type. */
#define STANDIN_WRONG_TYPE -4
/* A text cannot be converted, or has a NUL in it. */
#define STANDIN_BAD_TEXT -5
/* Not now: it was started already, has no result yet, or was answered. */
#define STANDIN_BAD_STATE -6
/* Sixteen callbacks are open, one within the other, and one more came. It was refused. */
#define STANDIN_TOO_DEEP -7
/* No service answers at the endpoint. */
#define STANDIN_NOT_RUNNING -8
/* There is a service, and it took no connection in time. */
#define STANDIN_BUSY -9
/* This user may not use the service. */
#define STANDIN_DENIED -10
/* The connection is gone, and with it what belonged to it. */
#define STANDIN_LOST -11
/* A file cannot be read or written. */
#define STANDIN_FILE -12
/* The number does not fit. */
#define STANDIN_RANGE -13
/* Too many, or too large. */
#define STANDIN_LIMIT -14
/* A fault of this library. The handle may still be closed. */
#define STANDIN_PANIC -99

/* == Types of values == */

#define STANDIN_TYPE_MISSING 0
#define STANDIN_TYPE_NULL 1
#define STANDIN_TYPE_BOOL 2
#define STANDIN_TYPE_INT 3
#define STANDIN_TYPE_NUMBER 4
#define STANDIN_TYPE_TEXT 5
#define STANDIN_TYPE_BYTES 6
#define STANDIN_TYPE_LIST 7
#define STANDIN_TYPE_MAP 8

/* == The library == */

/* The version of these functions: 1. Not a code. */
standin_int32 STANDIN_API standin_abi(void);

/* The version of the library, such as "0.1.0". */
standin_int32 STANDIN_API standin_version(void *buffer, standin_int64 capacity, standin_int64 *needed);

/* == Clients == */

/* Opens a client: a session with the service, that outlives its connection.
 * `endpoint`: where the service is; "" or NULL: where STANDIN_ENDPOINT says, else the usual place of the platform.
 * `code_page`: of all texts; "" or NULL: UTF-8. The names of OpenEdge (ISO8859-1, 1252, IBM850, UTF-8, BIG-5) and of
 * Windows (windows-1252, cp850) are known; UTF-16 is not possible.
 * `limit_ms`: how long a service is waited for that is not up yet, or busy; one try is always made.
 * `client`: a handle, also when it fails; then only the error functions and standin_close take it. It is 0 only if the
 * arguments make no sense.
 * Fails with STANDIN_NOT_RUNNING, STANDIN_BUSY, STANDIN_DENIED (at once), STANDIN_LOST (anything else about the
 * connection), STANDIN_FAILED (the service refuses), STANDIN_BAD_ARGUMENT. */
standin_int32 STANDIN_API standin_open(const char *endpoint, const char *code_page, standin_int64 limit_ms,
                                       standin_int64 *client);

/* The same, with a name that the status and the log of the service show for this program. */
standin_int32 STANDIN_API standin_open_as(const char *endpoint, const char *code_page, const char *program_name,
                                          standin_int64 limit_ms, standin_int64 *client);

/* The same, with all there is to say. `resume_ms`: how long a call that has no time of its own waits for a connection
 * that was lost; -1: the usual minute; 0: a lost connection is not made again, and ends all calls. */
standin_int32 STANDIN_API standin_open_with(const char *endpoint, const char *code_page, const char *program_name,
                                            standin_int64 limit_ms, standin_int64 resume_ms, standin_int64 *client);

/* Closes any handle. A client takes all that belongs to it along, and says goodbye to the service. A call that runs is
 * taken back. A callback without an answer fails. Closing twice is STANDIN_BAD_HANDLE. */
standin_int32 STANDIN_API standin_close(standin_int64 handle);

/* What stands for a character that the code page has not when a text is read, such as "?". "" or NULL: such a text is
 * STANDIN_BAD_TEXT, as it is at first. Sentences of errors are always readable. */
standin_int32 STANDIN_API standin_set_replacement(standin_int64 client, const char *replacement);

/* == Building == */

/* Begins a call of `method`. Nothing is sent before standin_start. */
standin_int32 STANDIN_API standin_call_new(standin_int64 client, const char *method, standin_int64 *call);

/* Sets one argument of a call that was not started, or one part of the answer to a callback. A call's arguments are one
 * map; a list as a whole (standin_set_list with the path "") are positional arguments instead.
 * STANDIN_BAD_STATE once it was started or answered; STANDIN_BAD_PATH; STANDIN_BAD_TEXT; STANDIN_LIMIT. */
standin_int32 STANDIN_API standin_set_text(standin_int64 handle, const char *path, const char *text);

/* A whole number. */
standin_int32 STANDIN_API standin_set_int(standin_int64 handle, const char *path, standin_int64 value);

/* A number with a fraction. Infinity and NaN are STANDIN_RANGE. */
standin_int32 STANDIN_API standin_set_number(standin_int64 handle, const char *path, double value);

/* True or false: anything but 0 is true. */
standin_int32 STANDIN_API standin_set_bool(standin_int64 handle, const char *path, standin_int32 value);

/* Nil. */
standin_int32 STANDIN_API standin_set_null(standin_int64 handle, const char *path);

/* Bytes, which are not converted. */
standin_int32 STANDIN_API standin_set_bytes(standin_int64 handle, const char *path, const void *buffer,
                                            standin_int64 length);

/* A text from a buffer, in the code page of the client. */
standin_int32 STANDIN_API standin_set_text_buffer(standin_int64 handle, const char *path, const void *buffer,
                                                  standin_int64 length);

/* A text from a buffer, in UTF-8 whatever the code page of the client is: for values that hold more than it has. */
standin_int32 STANDIN_API standin_set_utf8(standin_int64 handle, const char *path, const void *buffer,
                                           standin_int64 length);

/* Appends to the text at the path, which need not be there yet. A piece may end inside a character. */
standin_int32 STANDIN_API standin_append_text(standin_int64 handle, const char *path, const void *buffer,
                                              standin_int64 length);

/* Appends to the bytes at the path, which need not be there yet. */
standin_int32 STANDIN_API standin_append_bytes(standin_int64 handle, const char *path, const void *buffer,
                                               standin_int64 length);

/* Whatever JSON (UTF-8) says. {"$bytes": "base64"} are bytes. */
standin_int32 STANDIN_API standin_set_json(standin_int64 handle, const char *path, const void *json,
                                           standin_int64 length);

/* Appends a text to the list at the path: standin_set_text with [] behind the path. */
standin_int32 STANDIN_API standin_add(standin_int64 handle, const char *path, const char *text);

/* An empty list. */
standin_int32 STANDIN_API standin_set_list(standin_int64 handle, const char *path);

/* An empty map. */
standin_int32 STANDIN_API standin_set_map(standin_int64 handle, const char *path);

/* The bytes of a file, which is read now and with the rights of this program. STANDIN_FILE if it cannot be. */
standin_int32 STANDIN_API standin_set_file(standin_int64 handle, const char *path, const char *file_name);

/* The time for the whole call or batch, waiting, replays and lost connections included. Without it the limits of the
 * service hold. */
standin_int32 STANDIN_API standin_set_timeout(standin_int64 call, standin_int64 timeout_ms);

/* The idempotency key, 1 to 128 bytes: under one key a method runs once, and whoever asks again gets the same answer. */
standin_int32 STANDIN_API standin_set_key(standin_int64 call, const char *key);

/* Vouches (not 0) that running it twice does no harm. */
standin_int32 STANDIN_API standin_set_idempotent(standin_int64 call, standin_int32 is_idempotent);

/* A W3C traceparent, for the logs. */
standin_int32 STANDIN_API standin_set_trace(standin_int64 call, const char *traceparent);

/* == Running == */

/* Sends a call or a batch, and does not wait. STANDIN_LIMIT if it is larger than the service takes, or nests deeper. */
standin_int32 STANDIN_API standin_start(standin_int64 call);

/* Waits until a call or a batch has ended, at most `limit_ms`; 0 only looks. STANDIN_OK, STANDIN_FAILED,
 * STANDIN_PENDING, or STANDIN_CALLBACK: serve it, and wait on. What has ended stays so, however often it is asked. */
standin_int32 STANDIN_API standin_wait(standin_int64 call, standin_int64 limit_ms);

/* Has a started call or batch taken back. It still ends, by its result or the error `cancelled`: wait for it. While the
 * service is away, one that it has not got ends at once; of one that it may have it is told when it is back. */
standin_int32 STANDIN_API standin_cancel(standin_int64 call);

/* Sends a call or a batch with this time (0: the one that was set, else 30 seconds) and waits for its end: STANDIN_OK,
 * STANDIN_FAILED, or STANDIN_CALLBACK: serve it, and go on with standin_wait. */
standin_int32 STANDIN_API standin_send(standin_int64 call, standin_int64 limit_ms);

/* A call in one: begins it with the arguments in `json` (in the code page of the client; "" or NULL: none), and sends it
 * as standin_send does. `call` is set whenever the call could be made, to be read and closed; else it is 0. */
standin_int32 STANDIN_API standin_call(standin_int64 client, const char *method, const char *json,
                                       standin_int64 limit_ms, standin_int64 *call);

/* The same, with the bytes of a file as the argument at `path`. */
standin_int32 STANDIN_API standin_call_file(standin_int64 client, const char *method, const char *json,
                                            const char *path, const char *file_name, standin_int64 limit_ms,
                                            standin_int64 *call);

/* Waits until any started call or batch of the client has ended that was not told before: STANDIN_OK or STANDIN_FAILED,
 * and `call` is which. STANDIN_PENDING: none within `limit_ms`. STANDIN_CALLBACK: one pends. STANDIN_BAD_STATE: none is
 * open that could end. What a wait or a send has told of is not told again. */
standin_int32 STANDIN_API standin_wait_any(standin_int64 client, standin_int64 limit_ms, standin_int64 *call);

/* Begins a batch: many calls in one round trip. */
standin_int32 STANDIN_API standin_batch_new(standin_int64 client, standin_int64 *batch);

/* Puts a call that was not started into a batch; at most 1000. Start and wait for the batch; then each call has its own
 * result or error. STANDIN_LIMIT: it is one too many, or its arguments nest more than 58 levels. */
standin_int32 STANDIN_API standin_batch_add(standin_int64 batch, standin_int64 call);

/* The latest that the worker told of how the call gets on, as JSON. STANDIN_MISSING: nothing yet. */
standin_int32 STANDIN_API standin_progress(standin_int64 call, void *buffer, standin_int64 capacity,
                                           standin_int64 *needed);

/* == Reading == */

/* The type of a value in the result of a call, or in the arguments of a callback: one of STANDIN_TYPE_...
 * Of a call that failed all of these give STANDIN_FAILED, before its end STANDIN_BAD_STATE. */
standin_int32 STANDIN_API standin_type(standin_int64 handle, const char *path, standin_int32 *type);

/* How many items a list has, or entries a map. STANDIN_MISSING and STANDIN_NULL count 0. */
standin_int32 STANDIN_API standin_count(standin_int64 handle, const char *path, standin_int64 *count);

/* The name of an entry of the map at the path, by its place from 0. Its value is at `path.#index`. */
standin_int32 STANDIN_API standin_key(standin_int64 handle, const char *path, standin_int64 index, void *buffer,
                                      standin_int64 capacity, standin_int64 *needed);

/* A text; numbers, true and false are given as texts too. STANDIN_MISSING and STANDIN_NULL give an empty text. */
standin_int32 STANDIN_API standin_get_text(standin_int64 handle, const char *path, void *buffer,
                                           standin_int64 capacity, standin_int64 *needed);

/* A whole number. A number with a fraction is STANDIN_WRONG_TYPE, a larger one STANDIN_RANGE. */
standin_int32 STANDIN_API standin_get_int(standin_int64 handle, const char *path, standin_int64 *value);

/* A number. */
standin_int32 STANDIN_API standin_get_number(standin_int64 handle, const char *path, double *value);

/* True (1) or false (0). */
standin_int32 STANDIN_API standin_get_bool(standin_int64 handle, const char *path, standin_int32 *value);

/* A piece of bytes, or of a text as UTF-8: from `offset` on as much as fits. `copied` is how much that was, `total` the
 * length of the whole. */
standin_int32 STANDIN_API standin_get_bytes(standin_int64 handle, const char *path, standin_int64 offset, void *buffer,
                                            standin_int64 capacity, standin_int64 *copied, standin_int64 *total);

/* A piece of a text in the code page of the client, without a NUL behind it. `offset`, `copied` and `total` are bytes of
 * it. No character is split; go on at `offset + copied`. STANDIN_TOO_SMALL if not one character fits. */
standin_int32 STANDIN_API standin_get_text_part(standin_int64 handle, const char *path, standin_int64 offset,
                                                void *buffer, standin_int64 capacity, standin_int64 *copied,
                                                standin_int64 *total);

/* The value at the path as JSON, in UTF-8. Bytes are {"$bytes": "base64"}. */
standin_int32 STANDIN_API standin_get_json(standin_int64 handle, const char *path, void *buffer,
                                           standin_int64 capacity, standin_int64 *needed);

/* Writes bytes, or a text as UTF-8, into a file, with the rights of this program. A file of that name is written over. */
standin_int32 STANDIN_API standin_save_file(standin_int64 handle, const char *path, const char *file_name);

/* == Callbacks == */

/* A question of a worker to this program: gives the one that came next, or else the innermost that has no answer yet, by
 * a client or any call of it. Read its arguments, build the answer with the standin_set_... functions, and answer.
 * Meanwhile calls may be made as ever, and they may bring further questions. STANDIN_MISSING: there is none.
 * Questions that a worker asks all at once come one by one. Nobody says when the call of a question is over: it may be
 * answered all the same.
 * STANDIN_TOO_DEEP: one came while sixteen are open; it was refused, and the worker was told. */
standin_int32 STANDIN_API standin_callback(standin_int64 client_or_call, standin_int64 *callback);

/* What is asked. */
standin_int32 STANDIN_API standin_callback_method(standin_int64 callback, void *buffer, standin_int64 capacity,
                                                  standin_int64 *needed);

/* Answers with what was set, or nil. STANDIN_LOST: the connection it was asked by is gone, and nobody got the answer; the
 * worker was told so. The handle stays until it is closed. */
standin_int32 STANDIN_API standin_answer(standin_int64 callback);

/* Fails it, with a code such as "record.locked" and a sentence. Else as standin_answer. */
standin_int32 STANDIN_API standin_fail(standin_int64 callback, const char *code, const char *message);

/* == Errors == */

/* The number of the last error: the service's or a worker's, above 0 (docs/PROTOCOL.md); this library's own is the
 * return code, below 0; 0: there was none. With an unknown handle this tells of handle 0. */
standin_int32 STANDIN_API standin_error_number(standin_int64 handle, standin_int32 *number);

/* Its name, such as "smtp.rejected", "deadline_exceeded" or "not_running". */
standin_int32 STANDIN_API standin_error_code(standin_int64 handle, void *buffer, standin_int64 capacity,
                                             standin_int64 *needed);

/* What is known about the effect of the call, whichever function the error is of: "not_executed" (a retry is safe),
 * "executed" or "unknown". That the result of a call cannot be read or saved does not undo it: it is "executed". Of a call
 * that runs, of the one that a callback belongs to, of a client and of a closed handle it is "unknown"; where a call could
 * not be begun, "not_executed". */
standin_int32 STANDIN_API standin_error_outcome(standin_int64 handle, void *buffer, standin_int64 capacity,
                                                standin_int64 *needed);

/* A sentence or two, fit for a message box. */
standin_int32 STANDIN_API standin_error_message(standin_int64 handle, void *buffer, standin_int64 capacity,
                                                standin_int64 *needed);

/* When it makes sense to try again; -1: that was not said. */
standin_int32 STANDIN_API standin_error_retry_after(standin_int64 handle, standin_int64 *milliseconds);

/* What else there is to know, as JSON in UTF-8. STANDIN_MISSING: nothing. */
standin_int32 STANDIN_API standin_error_data(standin_int64 handle, void *buffer, standin_int64 capacity,
                                             standin_int64 *needed);

#ifdef __cplusplus
}
#endif

#endif
