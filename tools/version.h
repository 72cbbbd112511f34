/* Versions, ours and of what we are linked with. */
#ifndef TOOLS_VERSION_H
#define TOOLS_VERSION_H

/* Print them to stdout, a line each. Returns an exit status. */
int version_print(void);

#endif
