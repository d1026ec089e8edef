/** A server refused the login. Postgres, MySQL, MongoDB, Redis, RabbitMQ, HTTP. */
export const authenticationFailure =
  /password authentication failed for user|Access denied for user|NOAUTH Authentication required|WRONGPASS |Authentication failed\.|ACCESS_REFUSED|SCRAM authentication failed|401 Unauthorized|invalid (?:username|user name) or password/i;
