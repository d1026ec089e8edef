/** A server refused the login. Postgres, MySQL, MongoDB, Redis, RabbitMQ, HTTP. */
export const authenticationFailure =
  /password authentication failed for user|Access denied for user|NOAUTH Authentication required|WRONGPASS |Authentication failed\.|ACCESS_REFUSED|SCRAM authentication failed|401 Unauthorized|invalid (?:username|user name) or password/i;

/** Programs that scripts call, for the one that was meant by a misspelt name. */
export const commonPrograms =
  'sh bash cat echo ls cp mv rm mkdir chmod chown sed awk grep find xargs sort uniq head tail cut tr tee wc date sleep env printenv test expr true false id whoami hostname ps kill curl wget nc nslookup dig ping ip tar gzip gunzip unzip openssl git make python python3 pip node npm npx java ruby perl php go psql mysql redis-cli mongosh kubectl helm jq yq envsubst nginx httpd gunicorn uvicorn celery flask'.split(
    ' ',
  );
