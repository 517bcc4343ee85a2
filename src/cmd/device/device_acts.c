#include "cmd/device/device_acts.h"

#include <stdio.h>

#include "cmd/operation_watch.h"
#include "cmd/steps.h"

/* --- printing --------------------------------------------------------------------------------- */

static void print_device(struct client *c, const struct device_words *w, struct json *d)
{
    static const char *const members[] = {
        "id",      "displayName", "status",       "approved", "template",
        "refusal", "connected",   "lastActivity", "origin",   "modelId",
    };
    struct json *attempt = json_member(d, SLICE("lastProvisioningAttempt"));
    struct json *refusal = json_member(d, SLICE("lastHubRefusal"));

    if (w->json) {
        client_print_json(d);
        return;
    }
    for (size_t i = 0; i < COUNT_OF(members); i++)
        printf("%-13s %s\n", members[i], client_text(c, d, members[i]));
    device_authentication_print(c, json_member(d, SLICE("authentication")));
    if (attempt && attempt->kind == JSON_OBJECT) {
        printf("%-13s ", "last attempt");
        attempt_print(c, attempt);
        steps_print(c, json_member(attempt, SLICE("steps")));
    }
    if (refusal && refusal->kind == JSON_OBJECT) {
        printf("%-13s ", "hub refusal");
        attempt_print(c, refusal);
    }
}

/* --- by their IDs ----------------------------------------------------------------------------- */

/* The same act on each ID; what is printed is the device after it. Goes on after a failure. */
static int act_on_each(struct client *c, const struct device_words *w, const char *method,
                       const char *behind, const struct buf *body)
{
    int worst = EXIT_DONE;

    for (size_t i = 0; i < w->ids.count; i++) {
        struct json *answer = NULL;
        int code;

        c->about = w->ids.items[i];
        code = device_call(c, w, method, c->about, behind, body, &answer);
        if (code == EXIT_DONE && answer)
            print_device(c, w, answer);
        worst = code > worst ? code : worst;
    }
    c->about = NULL;
    return worst;
}

/* To be added is not to be let in: the hub takes a device once it is assigned, and with a
 * credential of its own it may never register. */
static void say_next(const struct device_words *w)
{
    const struct device_authentication *a = &w->authentication;

    if (!w->json && (a->certificate || a->thumbprint || a->by_authority))
        fprintf(stderr,
                "muster device: next: `muster device connection-string %s` assigns it to the hub, "
                "which refuses it until then\n",
                w->ids.count == 1 ? w->ids.items[0] : "ID");
}

int device_verb_add(struct client *c, const struct device_words *w)
{
    BUF_CLEANUP struct buf body = {.max = 4096};
    struct json_writer writer = {.to = &body};
    const char *objection = device_authentication_objection(&w->authentication, w->ids.count);
    int code;

    if (objection)
        return command_fail(c->command, EXIT_USAGE, "%s", objection);
    json_open(&writer, (slice){0}, '{');
    if (w->name)
        json_put_text(&writer, SLICE("displayName"), slice_str(w->name));
    if (w->template_id)
        json_put_text(&writer, SLICE("template"), slice_str(w->template_id));
    if (w->simulated)
        json_put_bool(&writer, SLICE("simulated"), true);
    if (!device_authentication_put(c->command, &w->authentication, &writer, &code))
        return code;
    json_close(&writer, '}');
    code = act_on_each(c, w, "PUT", "", &body);
    if (code == EXIT_DONE)
        say_next(w);
    return code;
}

int device_verb_show(struct client *c, const struct device_words *w)
{
    return act_on_each(c, w, "GET", "", NULL);
}

int device_verb_approve(struct client *c, const struct device_words *w)
{
    return act_on_each(c, w, "POST", "/approve", NULL);
}

int device_verb_block(struct client *c, const struct device_words *w)
{
    return act_on_each(c, w, "POST", "/block", NULL);
}

int device_verb_unblock(struct client *c, const struct device_words *w)
{
    return act_on_each(c, w, "POST", "/unblock", NULL);
}

int device_verb_delete(struct client *c, const struct device_words *w)
{
    return act_on_each(c, w, "DELETE", "", NULL);
}

int device_verb_associate(struct client *c, const struct device_words *w)
{
    BUF_CLEANUP struct buf body = {.max = 4096};
    struct json_writer writer = {.to = &body};

    if (!w->template_id)
        return command_fail(c->command, EXIT_USAGE,
                            "associate needs --template T; muster template list shows them");
    json_open(&writer, (slice){0}, '{');
    json_put_text(&writer, SLICE("template"), slice_str(w->template_id));
    json_close(&writer, '}');
    return act_on_each(c, w, "POST", "/associate", &body);
}

/* --- all that match --------------------------------------------------------------------------- */

static int act_on_matching(struct client *c, const struct device_words *w, const char *act,
                           const char *template_id, const char *of_template)
{
    BUF_CLEANUP struct buf body = {.max = 4096}, path = {.max = 256};
    struct json_writer writer = {.to = &body};
    struct json *operation = NULL;
    int code;

    json_open(&writer, (slice){0}, '{');
    if (template_id)
        json_put_text(&writer, SLICE("template"), slice_str(template_id));
    json_open(&writer, SLICE("filter"), '{');
    if (w->status)
        json_put_text(&writer, SLICE("status"), slice_str(w->status));
    if (w->search)
        json_put_text(&writer, SLICE("search"), slice_str(w->search));
    if (of_template)
        json_put_text(&writer, SLICE("template"), slice_str(of_template));
    if (w->unassociated)
        json_put_bool(&writer, SLICE("unassociated"), true);
    json_close(&writer, '}');
    json_close(&writer, '}');
    buf_printf(&path, "operations/%s", act);
    code = client_call(c, "POST", buf_slice(&path), &body, &operation);
    return code == EXIT_DONE ? operation_watch(c, operation, w->json) : code;
}

/* All devices at once is no slip of the tongue. */
int device_verb_matching(struct client *c, const struct device_words *w, const char *act)
{
    bool associates = strcmp(act, "associate") == 0;
    const char *of_template = associates ? w->of_template : w->template_id;

    if (associates && !w->template_id)
        return command_fail(c->command, EXIT_USAGE, "associate needs --template T");
    if (!w->status && !of_template && !w->unassociated && !w->search)
        return command_fail(
            c->command, EXIT_USAGE,
            "--matching what? give --search, --status, --template or --unassociated");
    return act_on_matching(c, w, act, associates ? w->template_id : NULL, of_template);
}
