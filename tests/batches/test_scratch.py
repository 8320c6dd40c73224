"""5,000 rows: rehearse and queue, without a browser."""
import io, sys, time, random
import pytest, xlsxwriter
from django.utils import timezone
from datetime import timedelta

@pytest.mark.django_db(transaction=True)
def test_scale(settings):
    from merchants.models import User
    from merchants.services import add_merchant, set_membership
    from shipping.models import Order, OrderLine, Courier, BatchOrder, Printing, Package
    from shipping.batches import controls, steps, reads
    N=5000
    m=add_merchant(appid="wx0000000000000001",name="大店",secret="s"*32)
    from django.utils import timezone
    type(m).objects.filter(pk=m.pk).update(couriers_read_at=timezone.now(), has_return_address=True)
    for c,n in (("SF","顺丰速运"),("ZTO","中通快递"),("YTO","圆通速递")): Courier.objects.create(merchant=m,delivery_id=c,delivery_name=n,initials=c.lower())
    u=User.objects.create_user("u",password="x"*12); set_membership(user=u,merchant=m,role="staff")
    now=timezone.now()
    orders=Order.objects.bulk_create([Order(merchant=m,order_id=f"37{10**16+i}",status=20,deliver_method=0,paid_at=now,read_at=now,openid=f"o{i}",address_hash=f"h{i}") for i in range(N)])
    OrderLine.objects.bulk_create([OrderLine(order=o,position=0,product_id="1001",sku_id="2001",sku_cnt=2,title="茶") for o in orders])
    Printing.objects.bulk_create([Printing(order=o,by=u,paper="a4",noted={"address_hash":o.address_hash,"address":"","goods":[["1001","2001"]]}) for o in orders])
    buf=io.BytesIO(); wb=xlsxwriter.Workbook(buf); ws=wb.add_worksheet()
    ws.write_row(0,0,["订单号","快递公司","快递单号","收货人","收货地址"])
    for i,o in enumerate(orders,1): ws.write_row(i,0,[o.order_id,"顺丰速运" if i%10 else "百世",f"SF1{10**11+i}","某人","某地"])
    wb.close()
    t=time.perf_counter(); b=controls.upload(user=u,filename="a.xlsx",content=buf.getvalue())
    import cProfile,pstats
    pr=cProfile.Profile() if "prof" in sys.argv else None
    t=time.perf_counter()
    while steps.work(b, 60): pass
    print("read+rehearse", round(time.perf_counter()-t,2), b.stage, b.rows, b.refused, b.columns)
    print(reads.tally(u,b)); print([(c.cause,c.rows) for c in reads.causes(u,b)])
    t=time.perf_counter(); reads.tally(u,b); reads.causes(u,b); reads.ready_by_store(u,b); print("page data", round((time.perf_counter()-t)*1000),"ms")
    controls.confirm(batch=b,user=u); t=time.perf_counter()
    while steps.work(b, 60): pass
    print("queue", round(time.perf_counter()-t,2), Package.objects.count()); print(reads.tally(u,b))
    t=time.perf_counter(); reads.tally(u,b); print("tally", round((time.perf_counter()-t)*1000),"ms")
    t=time.perf_counter(); b2=controls.upload(user=u,filename="a.xlsx",content=buf.getvalue())
    while steps.work(b2, 60): pass
    print("again", round(time.perf_counter()-t,2)); print(reads.tally(u,b2))
    from shipping.dispatch.claiming import claim_some
    from shipping.dispatch.waiting import next_due
    controls.pause(batch=b,user=u); t=time.perf_counter(); claim_some("1",8); print("claim paused", round((time.perf_counter()-t)*1000),"ms"); t=time.perf_counter(); next_due(); print("next_due paused", round((time.perf_counter()-t)*1000),"ms")
    controls.resume(batch=b)
    t=time.perf_counter(); controls.cancel(batch=b,user=u)
    while steps.work(b, 60): pass
    print("cancel", round(time.perf_counter()-t,2), reads.tally(u,b))
