import socket,subprocess,ssl,sys,time,os
# does a burst of accepts alone take long?
sim=subprocess.Popen(['/tmp/s/dtls/build/simulator','--devices','127.0.0.1:0','--admin','127.0.0.1:0','--latency','0','--devices-tls','ca.pem'],stdout=subprocess.PIPE,stderr=subprocess.PIPE,text=True,env=dict(os.environ,LD_PRELOAD='/tmp/s/run/turns.so'))
line=sim.stdout.readline(); port=int(line.split('127.0.0.1:')[1].split(',')[0])
s=[]
for i in range(200):
    x=socket.create_connection(('127.0.0.1',port)); s.append(x)
    if len(sys.argv)>1: x.send(b'\x16\x03\x01')
time.sleep(1)
for x in s: x.close()
time.sleep(.5)
sim.terminate(); print(sim.stderr.read())
