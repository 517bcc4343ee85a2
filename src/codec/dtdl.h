/* Device models: the Digital Twins Definition Language, versions 2 and 3.
 *
 *     document --json_parse--> tree --dtdl_read--> model
 *                                        |
 *                                        +--> report: errors, and notes about what is not
 * understood
 *
 *     model --> interface --> content: telemetry, property, command, component, relationship
 *                  |             +--> schema: a name, or array, enum, map, object of schemas
 *                  +--> all: its own contents and those of the interfaces it extends
 *
 * A document is a device template ({"@type", "capabilityModel"}), one interface, or an array of
 * interfaces; all that it refers to must be in it. Whatever is not understood (unknown co-types,
 * members, contexts) is kept where it stands in the tree, listed as an extra and noted, never
 * refused: what is exported is the tree. Models of the cloud write the IoT Central context first
 * or none at all, and give elements identifiers that are no DTMIs; both are accepted.
 *
 * The model lives in the arena and borrows from the tree. Nothing here recurses.
 * Sources: contract/central.md 5.1, 5.2; Azure/opendigitaltwins-dtdl, DTDL.v2.md, DTDL.v3.md,
 * DTDL.iotcentral.v2.md, DTDL.quantitativeTypes.v1.md. */
#ifndef MUSTER_CODEC_DTDL_H
#define MUSTER_CODEC_DTDL_H

#include "codec/json.h"

enum dtdl_version {
    DTDL_V2 = 2,
    DTDL_V3 = 3 /* a document in a later version is read by these rules, and noted */
};

/* --- what a document is told ---------------------------------------------------------------- */

#define DTDL_FINDINGS_MAX 50

struct dtdl_finding {
    slice path; /* from the document's root: "capabilityModel.contents[3].schema" */
    slice text; /* a sentence without a full stop: "'temp': ..." */
};

struct dtdl_findings {
    struct dtdl_finding list[DTDL_FINDINGS_MAX];
    size_t kept;  /* how many of them are in `list` */
    size_t count; /* how many there were */
};

struct dtdl_report {
    struct dtdl_findings errors; /* the model is against a rule */
    struct dtdl_findings notes;  /* it has parts that are kept, but not understood */
};

/* --- schemas -------------------------------------------------------------------------------- */

enum dtdl_schema_kind {
    DTDL_BOOLEAN,
    DTDL_DATE,
    DTDL_DATE_TIME,
    DTDL_DOUBLE,
    DTDL_DURATION,
    DTDL_FLOAT,
    DTDL_INTEGER,
    DTDL_LONG,
    DTDL_STRING,
    DTDL_TIME,
    DTDL_POINT,
    DTDL_MULTI_POINT,
    DTDL_LINE_STRING,
    DTDL_MULTI_LINE_STRING,
    DTDL_POLYGON,
    DTDL_MULTI_POLYGON,
    DTDL_GEOPOINT, /* IoT Central's {"lat", "lon", "alt"} */
    DTDL_VECTOR,   /* IoT Central's {"x", "y", "z"} */
    DTDL_ARRAY,
    DTDL_ENUM,
    DTDL_MAP,
    DTDL_OBJECT,
    DTDL_OPAQUE, /* of a later version of the language: any value fits */
    DTDL_SCHEMA_KINDS
};

#define DTDL_SCHEMA_DEPTH_MAX 5 /* complex schemas inside each other */

/* A word of an element's @type, or one of its members, that the language does not know. */
struct dtdl_extra {
    slice name;
    const struct json *value; /* NULL: a word of the @type */
    const struct dtdl_extra *next;
};

/* A text for people: a string, or one string for each of several languages. */
struct dtdl_text {
    slice text;                /* the English, or the first; empty when there is none */
    const struct json *source; /* all of them; NULL when there is none */
};

/* What an element is besides its class: co-types of the IoT Central extension. */
enum dtdl_marker {
    DTDL_STATE = 1 << 0,
    DTDL_EVENT = 1 << 1,
    DTDL_LOCATION = 1 << 2,
    DTDL_VELOCITY_VECTOR = 1 << 3,
    DTDL_ACCELERATION_VECTOR = 1 << 4,
    DTDL_CLOUD = 1 << 5,       /* a cloud property: the application's, unknown to the device */
    DTDL_EDGE_MODULE = 1 << 6, /* a relationship that stands for a module */
    DTDL_EDITOR = 1 << 7       /* StringValue and its like: has members that the editor made */
};

/* What all elements have. */
struct dtdl_element {
    slice id;   /* @id; empty when it has none */
    slice name; /* empty for interfaces and schemas */
    struct dtdl_text display_name, description;
    slice comment;
    unsigned markers; /* of enum dtdl_marker */
    const struct dtdl_extra *extras;
    const struct json *source; /* as written; NULL for what is named by a word only */
};

/* A semantic type: the quantity that a number measures, and the units for it. */
struct dtdl_semantic {
    const char *name;
    enum dtdl_version since;
    const struct dtdl_unit_type *units;
};

/* A thing with a schema: telemetry, property, field, request, response, value of a map. */
struct dtdl_typed {
    struct dtdl_element element;
    const struct dtdl_schema *schema;     /* never NULL in a model without errors */
    const struct dtdl_semantic *semantic; /* or NULL */
    slice unit;                           /* empty when there is none */
};

struct dtdl_enum_value {
    struct dtdl_element element;
    const struct json *value; /* a number or a string, as the enum's value kind says */
};

struct dtdl_schema {
    enum dtdl_schema_kind kind;
    struct dtdl_element element; /* of complex schemas */
    /* An object's fields, in their order. An array's elements and a map's values are like
     * parts[0]. A copy of the pointers is in the order of names, see dtdl_field_find. */
    struct dtdl_typed *parts;
    size_t part_count;
    const struct dtdl_typed **parts_by_name;
    slice map_key_name;
    enum dtdl_schema_kind value_kind; /* of an enum: DTDL_INTEGER or DTDL_STRING */
    struct dtdl_enum_value *values;
    size_t value_count;
    const struct dtdl_enum_value **values_by_value;
    unsigned depth; /* complex schemas inside each other, itself included; 0 for a word */
    bool has_array; /* is an array, is geospatial, or has such a thing inside */
};

/* --- contents ------------------------------------------------------------------------------- */

enum dtdl_content_kind {
    DTDL_TELEMETRY,
    DTDL_PROPERTY,
    DTDL_COMMAND,
    DTDL_COMPONENT,
    DTDL_RELATIONSHIP,
    DTDL_UNKNOWN_CONTENT, /* of an unknown @type: kept, unmodelled */
    DTDL_CONTENT_KINDS
};

#define DTDL_MULTIPLICITY_MAX 500

struct dtdl_content {
    enum dtdl_content_kind kind;
    const struct dtdl_interface *owner; /* where it is written, which may be a base */
    struct dtdl_typed typed;            /* schema, semantic type, unit: telemetry, property */
    bool writable;                      /* property, relationship */
    bool durable;                       /* command: queue it while the device is offline */
    const struct dtdl_typed *request, *response; /* command; NULL when it has none */
    const struct dtdl_interface *interface;      /* component; a module's relationship, or NULL */
    slice target;                                /* relationship; empty: any */
    int64_t max_multiplicity;                    /* relationship */
    struct dtdl_content *properties;             /* relationship */
    size_t property_count;
};

struct dtdl_interface {
    struct dtdl_element element; /* its id is a DTMI */
    enum dtdl_version version;
    size_t index;                        /* for those who keep something beside each */
    const struct dtdl_interface **bases; /* that it extends; those missing are NULL */
    size_t base_count;
    struct dtdl_content *contents; /* its own, in their order */
    size_t content_count;
    const struct dtdl_content **all; /* its own, then those of its bases, nearest first */
    const struct dtdl_content **all_by_name;
    size_t all_count;
};

/* --- model ---------------------------------------------------------------------------------- */

enum dtdl_template_type {
    DTDL_MODEL_DEFINITION = 1 << 0,
    DTDL_DEVICE_MODEL = 1 << 1,
    DTDL_EDGE_MODEL = 1 << 2,
    DTDL_GATEWAY_MODEL = 1 << 3
};

#define DTDL_TEMPLATE_ID_MAX 2048

struct dtdl_model {
    bool is_template; /* came as a template document: the next two are its own */
    struct dtdl_element element;
    unsigned types; /* of enum dtdl_template_type */
    /* A template's capability model; of an array, the first interface no other refers to. */
    const struct dtdl_interface *root;
    const struct dtdl_interface **interfaces; /* in the order in which they were met */
    size_t interface_count;
};

/* Reads and checks. `report` gets what is to be said either way, its texts in the arena.
 * ST_BAD_REQUEST when there are errors, with the first of them in `why`; ST_NO_MEMORY. */
CHECKED enum status dtdl_read(const struct json *document, struct arena *arena,
                              struct dtdl_report *report, struct dtdl_model **ret,
                              struct fault *why);

/* NULL when there is none of that name. Case counts. */
const struct dtdl_content *dtdl_content_find(const struct dtdl_interface *interface, slice name);
const struct dtdl_typed *dtdl_field_find(const struct dtdl_schema *object, slice name);
const struct dtdl_interface *dtdl_interface_find(const struct dtdl_model *model, slice id);
/* The member of that value; NULL when there is none, or `value` is of another kind. */
const struct dtdl_enum_value *dtdl_enum_find(const struct dtdl_schema *schema,
                                             const struct json *value);
/* An extra member's value, such as what an editor wrote; NULL when there is none. */
const struct json *dtdl_extra_find(const struct dtdl_element *element, slice name);

/* In that language ("de", "pt-BR"), else as `text`. */
slice dtdl_text_in(const struct dtdl_text *text, slice language);

/* "Telemetry", "double": the language's own words. */
const char *dtdl_content_kind_name(enum dtdl_content_kind kind);
const char *dtdl_schema_kind_name(enum dtdl_schema_kind kind);

/* Telemetry of these names is ignored when a device sends it. */
bool dtdl_name_is_reserved(slice name);

/* --- semantic types ------------------------------------------------------------------------- */

const struct dtdl_semantic *dtdl_semantic_find(slice name, enum dtdl_version version);
/* All of them, by index from 0; NULL behind the last. */
const struct dtdl_semantic *dtdl_semantic_at(size_t index);
bool dtdl_semantic_has_unit(const struct dtdl_semantic *semantic, slice unit,
                            enum dtdl_version version);
/* The units that came with that version, separated by blanks; may be empty. */
slice dtdl_semantic_units(const struct dtdl_semantic *semantic, enum dtdl_version since);

#endif
