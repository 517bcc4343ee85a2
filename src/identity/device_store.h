/* Inside identity/: the device table's statements, and its rows read. */
#ifndef MUSTER_IDENTITY_DEVICE_STORE_H
#define MUSTER_IDENTITY_DEVICE_STORE_H

#include "identity/device.h"

/* The device ID in lower case: what rows are found by and lists are ordered by. Gives the empty
 * slice, which no row has, when it is longer than an ID may be. */
slice device_key_of(slice device_id, uint8_t to[DEVICE_ID_MAX]);
/* The same as a number, for tables in memory. */
uint64_t device_hash(slice device_id);

/* The current row. Slices borrow from it. */
void device_from_row(struct rows *rows, struct device *ret);

/* ?1 device key, ?2 hub, ?3 device ID */
extern const struct sql device_get_sql;
/* ?1 device key, ?2 hub, ?3 device ID, ?4 module ID: the device's row, then its module's */
extern const struct sql device_get_module_sql;
/* ?1 device key */
extern const struct sql device_find_sql;
/* SQL_LIST of device keys (sql_list.h) */
extern const struct sql device_find_some_sql;
extern const struct sql device_count_sql;
/* ?1 hub, ?2 device key, ?3 device ID */
extern const struct sql device_list_modules_sql;

/* ?1 device key to go on after, ?2 limit; then what is named. In order of device keys. */
extern const struct sql device_list_sql;
extern const struct sql device_list_template_sql; /* ?3 template ID, '' for unassociated */
extern const struct sql device_list_unsettled_sql;
extern const struct sql device_list_blocked_sql;
extern const struct sql device_list_simulated_sql; /* that may connect */
extern const struct sql device_list_provisioned_sql;
extern const struct sql device_list_within_sql; /* ?3 path of an organization */
/* In order of names; ?3 the name of the device to go on after. */
extern const struct sql device_list_name_sql;
extern const struct sql device_list_name_down_sql;
extern const struct sql device_list_last_name_sql; /* from the end */

/* Of devices that the index of device_search.h names, and those behind it: ?1 key and ?2 limit as
 * above, ?3 name to go on after, ?4 terms. By ID; by name; backwards; backwards from the end. */
extern const struct sql device_list_found_sql;
extern const struct sql device_list_found_name_sql;
extern const struct sql device_list_found_name_down_sql;
extern const struct sql device_list_found_last_name_sql;

#endif
