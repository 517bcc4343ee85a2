/* The OpenAPI document of the compatible REST API, made from the very rows that dispatch. */
#include <assert.h>
#include <stdio.h>

#include "front/http/application.h"
#include "front/http/rest.h"

#define DOCUMENT_MAX (512 * 1024)
#define SCHEMA_REF "#/components/schemas/"

/* --- schemas ---------------------------------------------------------------------------------- */

static bool is_name(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* The notation of struct rest_schema as JSON: ' for ", @Name for a reference. "@type", as DTDL has
 * it, begins with a small letter. */
static void write_text(const char *text, struct buf *to)
{
    for (const char *at = text; *at; at++) {
        if (*at == '\'') {
            buf_append_byte(to, '"');
        } else if (at[0] == '@' && at[1] >= 'A' && at[1] <= 'Z') {
            buf_append_str(to, "{\"$ref\":\"" SCHEMA_REF);
            while (is_name(at[1]))
                buf_append_byte(to, (uint8_t) * ++at);
            buf_append_str(to, "\"}");
        } else {
            buf_append_byte(to, (uint8_t)*at);
        }
    }
}

static void put_whole(struct json_writer *w, const char *name, const char *text)
{
    json_put_raw(w, slice_str(name), (slice){0});
    write_text(text, w->to);
}

static void put_reference(struct json_writer *w, slice name, const char *to)
{
    json_open(w, name, '{');
    json_put_text(w, SLICE("$ref"), slice_str(to));
    json_close(w, '}');
}

static void put_object(struct json_writer *w, const char *name, const char *required,
                       const char *members)
{
    json_open(w, slice_str(name), '{');
    json_put_text(w, SLICE("type"), SLICE("object"));
    if (required[0]) {
        json_open(w, SLICE("required"), '[');
        write_text(required, w->to);
        json_close(w, ']');
    }
    json_open(w, SLICE("properties"), '{');
    write_text(members, w->to);
    json_close(w, '}');
    json_close(w, '}');
}

/* The name of a schema that follows from another's: "UserPatch". */
struct derived_name {
    char text[96];
};

static const char *derive(struct derived_name *name, const char *from, const char *ending)
{
    snprintf(name->text, sizeof name->text, "%s%s", from, ending);
    return name->text;
}

static bool is_collection(const char *schema)
{
    return schema && slice_ends_with(slice_str(schema), SLICE("Collection"));
}

/* Not yet made, and not one that a table has in its own words. */
static bool is_new_collection(size_t index)
{
    const char *name = rest_route_at(index)->response;
    const struct rest_schema *schema;

    if (!is_collection(name))
        return false;
    for (size_t i = 0; i < index; i++) {
        if (rest_route_at(i)->response && strcmp(rest_route_at(i)->response, name) == 0)
            return false;
    }
    for (size_t i = 0; (schema = rest_schema_at(i)); i++) {
        if (strcmp(schema->name, name) == 0)
            return false;
    }
    return true;
}

/* A page of what the name says. */
static void put_collection(struct json_writer *w, const char *name)
{
    BUF_CLEANUP struct buf item = {.max = 256};

    buf_printf(&item, SCHEMA_REF "%.*s", (int)(strlen(name) - strlen("Collection")), name);
    json_open(w, slice_str(name), '{');
    json_put_text(w, SLICE("type"), SLICE("object"));
    json_open(w, SLICE("required"), '[');
    json_put_text(w, (slice){0}, SLICE("value"));
    json_close(w, ']');
    json_open(w, SLICE("properties"), '{');
    json_open(w, SLICE("value"), '{');
    json_put_text(w, SLICE("type"), SLICE("array"));
    json_open(w, SLICE("items"), '{');
    json_put_text(w, SLICE("$ref"), buf_slice(&item));
    json_close(w, '}');
    json_close(w, '}');
    put_whole(w, "nextLink",
              "{'type':'string','format':'uri','description':"
              "'The next page, with all that was asked; absent on the last one'}");
    json_close(w, '}');
    json_close(w, '}');
}

static bool is_patched(const struct rest_schema *schema)
{
    const struct rest_route *route;

    for (size_t i = 0; schema->required && (route = rest_route_at(i)); i++) {
        if (route->http.method == HTTP_PATCH && route->request &&
            strcmp(route->request, schema->name) == 0)
            return true;
    }
    return false;
}

static void put_schemas(struct json_writer *w)
{
    const struct rest_schema *schema;
    const struct rest_route *route;
    struct derived_name name;

    json_open(w, SLICE("schemas"), '{');
    for (size_t i = 0; (schema = rest_schema_at(i)); i++) {
        if (schema->required)
            put_object(w, schema->name, schema->required, schema->text);
        else
            put_whole(w, schema->name, schema->text);
        if (is_patched(schema))
            put_object(w, derive(&name, schema->name, "Patch"), "", schema->text);
    }
    for (size_t i = 0; (route = rest_route_at(i)); i++) {
        if (is_new_collection(i))
            put_collection(w, route->response);
    }
    put_object(w, "Error", "'error'",
               "'error':{'type':'object','required':['code','message','requestId','time'],"
               "'properties':{'code':{'type':'string'},'message':{'type':'string'},"
               "'requestId':{'type':'string'},'time':{'type':'string'}}}");
    json_close(w, '}');
}

/* --- parameters ------------------------------------------------------------------------------- */

/* What a {} stands for, by the segment before it. */
static const struct {
    const char *collection, *name, *schema;
} path_parameters[] = {
    {"apiTokens", "tokenId", "'maxLength':48"},
    {"certificates", "entry", "'enum':['primary','secondary']"},
    {"commands", "commandName", "'maxLength':255"},
    {"components", "componentName", "'maxLength':255"},
    {"dashboards", "dashboardId", "'maxLength':128,'pattern':'^[a-zA-Z0-9:;]*$'"},
    {"deploymentManifests", "deploymentManifestId", "'maxLength':255"},
    {"destinations", "destinationId", "'maxLength':255"},
    {"deviceGroups", "deviceGroupId", "'maxLength':255,'pattern':'^[a-zA-Z0-9_-]*$'"},
    {"deviceTemplates", "deviceTemplateId", "'maxLength':2048"},
    {"devices", "deviceId", "'maxLength':128"},
    {"enrollmentGroups", "enrollmentGroupId", "'maxLength':255,'pattern':'^[a-zA-Z0-9-]*$'"},
    {"exports", "exportId", "'maxLength':255"},
    {"jobs", "jobId", "'maxLength':255,'pattern':'^[a-zA-Z0-9_-]*$'"},
    {"modules", "moduleName", "'maxLength':128"},
    {"organizations", "organizationId", "'maxLength':48,'pattern':'^[a-z0-9-]*$'"},
    {"relationships", "relationshipId", "'maxLength':255"},
    {"rerun", "rerunId", "'maxLength':255,'pattern':'^[a-zA-Z0-9_-]*$'"},
    {"roles", "roleId", "'maxLength':255"},
    {"scheduledJobs", "scheduledJobId", "'maxLength':255,'pattern':'^[a-zA-Z0-9_-]*$'"},
    {"telemetry", "telemetryName", "'maxLength':255"},
    {"users", "userId", "'maxLength':48,'pattern':'^[a-zA-Z0-9_-]*$'"},
};

static size_t parameter_after(slice collection)
{
    size_t i = 0;

    while (i < COUNT_OF(path_parameters) &&
           !slice_equal(slice_str(path_parameters[i].collection), collection))
        i++;
    assert(i < COUNT_OF(path_parameters));
    return i;
}

static void put_path_parameters(struct json_writer *w, const char *pattern)
{
    slice before = {0};

    for (slice rest = slice_str(pattern); rest.ptr;) {
        slice segment = slice_split(&rest, '/');

        if (slice_equal(segment, SLICE("{}"))) {
            size_t i = parameter_after(before);

            json_open(w, (slice){0}, '{');
            json_put_text(w, SLICE("name"), slice_str(path_parameters[i].name));
            json_put_text(w, SLICE("in"), SLICE("path"));
            json_put_bool(w, SLICE("required"), true);
            json_open(w, SLICE("schema"), '{');
            json_put_text(w, SLICE("type"), SLICE("string"));
            json_put_int(w, SLICE("minLength"), 1);
            buf_append_byte(w->to, ',');
            write_text(path_parameters[i].schema, w->to);
            json_close(w, '}');
            json_close(w, '}');
        }
        before = segment;
    }
}

/* Shared ones, which operations refer to. */
static const struct {
    const char *key, *text;
} query_parameters[] = {
    {"apiVersion", "{'name':'api-version','in':'query','required':true,'schema':"
                   "{'type':'string','enum':['2022-07-31']}}"},
    {"top", "{'name':'$top','in':'query','description':'Items of a page; maxpagesize is another "
            "name for it','schema':{'type':'integer','minimum':1,'maximum':100,'default':25}}"},
    {"skipToken", "{'name':'$skiptoken','in':'query','description':'Where the page begins, as "
                  "nextLink has it','schema':{'type':'string'}}"},
    {"filter", "{'name':'$filter','in':'query','schema':{'type':'string','maxLength':8000}}"},
    {"orderBy", "{'name':'$orderby','in':'query','schema':{'type':'string','enum':['displayName',"
                "'displayName asc','displayName desc']}}"},
    {"force", "{'name':'force','in':'query','description':'Publish, though it breaks what is "
              "published','schema':{'type':'boolean','default':false}}"},
    {"ifNoneMatch", "{'name':'If-None-Match','in':'header','description':'*: only if there is none "
                    "of that ID, else 412','schema':{'type':'string'}}"},
    {"ifMatch", "{'name':'If-Match','in':'header','description':'The etag that the caller knows',"
                "'schema':{'type':'string'}}"},
};

static void put_shared_parameters(struct json_writer *w)
{
    json_open(w, SLICE("parameters"), '{');
    for (size_t i = 0; i < COUNT_OF(query_parameters); i++)
        put_whole(w, query_parameters[i].key, query_parameters[i].text);
    json_close(w, '}');
}

static void put_parameters(struct json_writer *w, const struct rest_route *route)
{
    json_open(w, SLICE("parameters"), '[');
    put_path_parameters(w, route->http.pattern);
    put_reference(w, (slice){0}, "#/components/parameters/apiVersion");
    if (is_collection(route->response) && route->http.method == HTTP_GET) {
        put_reference(w, (slice){0}, "#/components/parameters/top");
        put_reference(w, (slice){0}, "#/components/parameters/skipToken");
    }
    if (route->query & REST_FILTERED) {
        put_reference(w, (slice){0}, "#/components/parameters/filter");
        put_reference(w, (slice){0}, "#/components/parameters/orderBy");
    }
    if (route->query & REST_FORCED)
        put_reference(w, (slice){0}, "#/components/parameters/force");
    if (route->http.method == HTTP_PUT)
        put_reference(w, (slice){0}, "#/components/parameters/ifNoneMatch");
    if (route->http.method == HTTP_PUT || route->http.method == HTTP_PATCH)
        put_reference(w, (slice){0}, "#/components/parameters/ifMatch");
    json_close(w, ']');
}

/* --- operations ------------------------------------------------------------------------------- */

static void put_content(struct json_writer *w, const char *media_type, const char *schema)
{
    BUF_CLEANUP struct buf to = {.max = 256};

    buf_printf(&to, SCHEMA_REF "%s%c", schema, '\0');
    json_open(w, slice_str(media_type), '{');
    put_reference(w, SLICE("schema"), (const char *)to.ptr);
    json_close(w, '}');
}

/* An object's PATCH has a schema of its own, without what the object requires. */
static bool wants_patch_schema(const struct rest_route *route)
{
    const struct rest_schema *schema;

    for (size_t i = 0; (schema = rest_schema_at(i)); i++) {
        if (route->http.method == HTTP_PATCH && strcmp(schema->name, route->request) == 0)
            return schema->required != NULL;
    }
    return false;
}

static void put_request(struct json_writer *w, const struct rest_route *route)
{
    struct derived_name name;
    const char *schema;

    if (!route->request)
        return;
    schema = wants_patch_schema(route) ? derive(&name, route->request, "Patch") : route->request;
    json_open(w, SLICE("requestBody"), '{');
    json_put_bool(w, SLICE("required"), true);
    json_open(w, SLICE("content"), '{');
    put_content(w, "application/json", schema);
    if (route->http.method == HTTP_PATCH)
        put_content(w, "application/merge-patch+json", schema);
    json_close(w, '}');
    json_close(w, '}');
}

static void put_responses(struct json_writer *w, const struct rest_route *route)
{
    BUF_CLEANUP struct buf status = {.max = 16};

    json_open(w, SLICE("responses"), '{');
    if (route->status < 400) {
        buf_printf(&status, "%d", route->status);
        json_open(w, buf_slice(&status), '{');
        json_put_text(w, SLICE("description"), SLICE("Success"));
        if (route->response) {
            json_open(w, SLICE("content"), '{');
            put_content(w, "application/json", route->response);
            json_close(w, '}');
        }
        json_close(w, '}');
    }
    put_reference(w, SLICE("default"), "#/components/responses/Error");
    json_close(w, '}');
}

static void put_operation(struct json_writer *w, const struct rest_route *route)
{
    static const char *const methods[] = {
        [HTTP_GET] = "get",     [HTTP_PUT] = "put",       [HTTP_POST] = "post",
        [HTTP_PATCH] = "patch", [HTTP_DELETE] = "delete",
    };
    slice name = slice_str(route->operation), group = slice_split(&name, '_');

    json_open(w, slice_str(methods[route->http.method]), '{');
    json_put_text(w, SLICE("operationId"), slice_str(route->operation));
    json_open(w, SLICE("tags"), '[');
    json_put_text(w, (slice){0}, group);
    json_close(w, ']');
    json_put_text(w, SLICE("x-permission"), slice_str(permission_name(route->http.permission)));
    if (route->status == 501)
        json_put_bool(w, SLICE("x-not-implemented"), true);
    put_parameters(w, route);
    put_request(w, route);
    put_responses(w, route);
    json_close(w, '}');
}

/* --- paths ------------------------------------------------------------------------------------ */

static bool has_pattern(size_t index, const char *pattern)
{
    return strcmp(rest_route_at(index)->http.pattern, pattern) == 0;
}

static bool is_first_of_its_path(size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (has_pattern(i, rest_route_at(index)->http.pattern))
            return false;
    }
    return true;
}

static void write_path(const char *pattern, struct buf *to)
{
    slice before = {0};

    for (slice rest = slice_str(pattern); rest.ptr;) {
        slice segment = slice_split(&rest, '/');

        if (slice_equal(segment, SLICE("{}")))
            buf_printf(to, "/{%s}", path_parameters[parameter_after(before)].name);
        else
            buf_printf(to, "/%.*s", SLICE_FMT(segment));
        before = segment;
    }
}

static void put_path(struct json_writer *w, const char *pattern)
{
    BUF_CLEANUP struct buf path = {.max = 1024};

    write_path(pattern, &path);
    json_open(w, buf_slice(&path), '{');
    for (size_t i = 0; rest_route_at(i); i++) {
        if (has_pattern(i, pattern))
            put_operation(w, rest_route_at(i));
    }
    json_close(w, '}');
}

/* --- the document ----------------------------------------------------------------------------- */

static void put_components(struct json_writer *w)
{
    json_open(w, SLICE("components"), '{');
    put_schemas(w);
    put_shared_parameters(w);
    put_whole(w, "responses",
              "{'Error':{'description':'Any failure','headers':{'x-ms-error-code':{"
              "'description':'As error.code','schema':{'type':'string'}}},"
              "'content':{'application/json':{'schema':@Error}}}}");
    put_whole(w, "securitySchemes",
              "{'token':{'type':'apiKey','in':'header','name':'Authorization','description':"
              "'SharedAccessSignature sr=...&sig=...&skn=...&se=..., as an API token was shown'}}");
    json_close(w, '}');
}

void rest_openapi_get(struct exchange *x)
{
    BUF_CLEANUP struct buf document = {.max = DOCUMENT_MAX};
    struct json_writer w = {.to = &document};

    json_open(&w, (slice){0}, '{');
    json_put_text(&w, SLICE("openapi"), SLICE("3.0.3"));
    put_whole(&w, "info", "{'title':'Muster','version':'2022-07-31'}");
    put_whole(&w, "servers", "[{'url':'/api'}]");
    put_whole(&w, "security", "[{'token':[]}]");
    json_open(&w, SLICE("paths"), '{');
    for (size_t i = 0; rest_route_at(i); i++) {
        if (is_first_of_its_path(i))
            put_path(&w, rest_route_at(i)->http.pattern);
    }
    json_close(&w, '}');
    put_components(&w);
    json_close(&w, '}');
    app_answer_object(x, &document);
}
