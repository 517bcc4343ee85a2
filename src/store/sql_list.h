/* Statements over a list of keys: "... WHERE key IN (" SQL_LIST ")".
 *
 * A list of fixed length keeps such a statement one statement, prepared once; what is left of it is
 * filled with a value that no row has. */
#ifndef MUSTER_STORE_SQL_LIST_H
#define MUSTER_STORE_SQL_LIST_H

#define SQL_LIST_LEN 64
#define SQL_LIST                                                                                   \
    "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20,"   \
    " ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36, ?37, ?38,"   \
    " ?39, ?40, ?41, ?42, ?43, ?44, ?45, ?46, ?47, ?48, ?49, ?50, ?51, ?52, ?53, ?54, ?55, ?56,"   \
    " ?57, ?58, ?59, ?60, ?61, ?62, ?63, ?64"

#endif
