# What nodemailer does not send: AUTH LOGIN, RSET, VRFY, an unknown command, two messages in one session.
import smtplib

client = smtplib.SMTP("127.0.0.1", 2525, local_hostname="py.test")
client.ehlo()
try:
    client.user, client.password = "web", "hunter2-right"
    client.auth("LOGIN", client.auth_login)
except smtplib.SMTPException as error:
    print(error)
client.verify("c@d.test")
client.docmd("HUNTER")
client.mail("x@b.test")
client.rset()
for number in range(2):
    client.sendmail("x@b.test", ["c@d.test"], f"Subject: {number}\n\nhunter2-body\n.\n")
client.noop()
client.quit()
client = smtplib.SMTP("127.0.0.1", 2525, local_hostname="py.test")
client.docmd("DATA")
client.close()
