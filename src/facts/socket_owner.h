/*
 * Which process holds a socket. Landlock does not let the worker look into other processes, so what was not kept (facts/proc.h) it asks of its
 * parent, which looks and answers with a number: the one question that goes up. The parent reads nothing but an inode number and a pid to begin with.
 */
#ifndef DR_FACTS_SOCKET_OWNER_H
#define DR_FACTS_SOCKET_OWNER_H

#include "facts/context.h"

enum { DR_MOST_OWNER_QUESTIONS = 64 }; /* that a parent answers to one worker; more are left without an answer */

/* pid of the process that holds socket:[inode]; 0: none that may be looked into does. */
long dr_socket_owner(struct dr_context *context, unsigned long inode);

/* Does this process hold it? Looks at no other, which on a host with many processes is the difference between microseconds and milliseconds. */
bool dr_socket_is_held_by(struct dr_context *context, unsigned long inode, long pid);

/* The owner by looking into every process, `likely` (0: none) first: for whoever is not in the sandbox. */
long dr_socket_owner_scan(const char *proc, unsigned long inode, long likely);

/* The parent's side: takes one question from `fd` (never blocks) and answers it. Negative errno: nothing to take, or the other end is gone. */
int dr_socket_owner_answer(int fd, const char *proc);

#endif
