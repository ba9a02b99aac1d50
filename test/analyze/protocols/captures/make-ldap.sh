#!/bin/sh
# Makes ldap.pcap: Debian's slapd and ldap-utils (OpenLDAP 2.5). Needs openssl, tcpdump and root. Everything talks on the loopback
# of a network namespace of its own.
set -eu
name=ldap
. "$(dirname "$0")/on-loopback.sh"
mkdir "$work/data"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj /CN=127.0.0.1 \
  -keyout "$work/key.pem" -out "$work/cert.pem" 2> /dev/null
cat > "$work/slapd.conf" <<CONF
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCertificateFile $work/cert.pem
TLSCertificateKeyFile $work/key.pem
database mdb
directory $work/data
suffix dc=shop
rootdn cn=admin,dc=shop
rootpw hunter2-right
sizelimit 5
CONF
ip netns exec $netns slapd -d 0 -f "$work/slapd.conf" -h ldap://127.0.0.1:389 &
capture_server 389
tried() { in_netns "$@" || true; }
admin="-H ldap://127.0.0.1 -x -D cn=admin,dc=shop -w hunter2-right"
{
  printf 'dn: dc=shop\nobjectClass: dcObject\nobjectClass: organization\no: shop\n\n'
  printf 'dn: ou=people,dc=shop\nobjectClass: organizationalUnit\n\n'
  for n in 1 2 3 4 5 6 7 8; do
    printf 'dn: uid=u%s,ou=people,dc=shop\nobjectClass: inetOrgPerson\ncn: user %s\nsn: %s\nuserPassword: hunter2-user\n\n' $n $n $n
  done
} | tried ldapadd $admin > /dev/null
tried ldapsearch $admin -LLL -b ou=people,dc=shop '(sn=3)' cn > /dev/null
tried ldapsearch $admin -LLL -b ou=people,dc=shop -s one -z 3 '(objectClass=*)' > /dev/null
tried ldapsearch $admin -LLL -b ou=nowhere,dc=shop '(sn=3)' > /dev/null
tried ldapsearch -H ldap://127.0.0.1 -x -LLL -b '' -s base '(objectClass=*)' + > /dev/null
printf 'dn: uid=u1,ou=people,dc=shop\nchangetype: modify\nreplace: sn\nsn: new\n' | tried ldapmodify $admin > /dev/null
printf 'dn: uid=u9,ou=people,dc=shop\nchangetype: modify\nreplace: sn\nsn: new\n' | tried ldapmodify $admin > /dev/null
tried ldapcompare $admin uid=u1,ou=people,dc=shop sn:new > /dev/null
tried ldapmodrdn $admin uid=u2,ou=people,dc=shop uid=u2b > /dev/null
tried ldapdelete $admin uid=u3,ou=people,dc=shop > /dev/null
tried ldapwhoami $admin > /dev/null
tried ldappasswd $admin -s hunter2-new uid=u4,ou=people,dc=shop > /dev/null
tried ldapsearch -H ldap://127.0.0.1 -x -D uid=u5,ou=people,dc=shop -w hunter2-wrong -b dc=shop > /dev/null
LDAPTLS_REQCERT=never tried ldapsearch $admin -ZZ -LLL -b ou=people,dc=shop '(sn=4)' cn > /dev/null
keep_capture
